export * from './index'
export { controlBytes, share, work } from './threads'
