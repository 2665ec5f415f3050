/** Lets editors and the type checker know the module `millrace` inside the examples. At run time the worker provides it. */
declare module 'millrace' {
  // biome-ignore lint/performance/noReExportAll: it is the same module under another name
  export * from '#worker/millrace';
}
