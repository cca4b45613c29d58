import { fileURLToPath } from 'node:url'
import { defaultClientConditions, defineConfig } from 'vite'
import { facekitBundle } from './scripts/facekit-bundle.js'
import { policy } from './scripts/policy.js'
import { serviceWorker } from './scripts/service-worker.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** `--mode test` makes the same page in a few seconds, for faces with little work. */
export default defineConfig(({ mode }) => {
  const isTest = mode === 'test'
  return {
    root: at('.'),
    base: './',
    // Our packages from their sources: a built one is one module, and all that it imports would come along.
    resolve: { conditions: ['@facekit/source', ...defaultClientConditions] },
    plugins: [facekitBundle({ minify: !isTest }), policy, serviceWorker],
    define: {
      FACE_OPTIONS: JSON.stringify({ head: 'full', ...(isTest && { iterations: 3, texture: 128 }) }),
    },
    build: {
      target: 'es2022',
      minify: !isTest,
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1000,
      reportCompressedSize: false,
    },
  }
})
