/// <reference types="vite/client" />

/** How much work a face is: less than usual in tests. */
declare const FACE_OPTIONS: { iterations?: number; texture?: number }
