/** Types of externals.mjs, for the build configuration. */
export const EXTERNALS: RegExp[];
