declare module 'gltf-validator' {
  interface Report {
    issues: {
      numErrors: number
      numWarnings: number
      numInfos: number
      messages: { code: string; message: string; severity: number; pointer: string }[]
    }
  }
  export function validateBytes(data: Uint8Array): Promise<Report>
}
