/**
 * Packages that stay in node_modules: they load files that lie beside them (native code, fonts, worker scripts), or
 * are optional. Everything else is bundled into out/, so that a process starts with few file reads.
 */
const NAMES = [
  'electron',
  'sharp', // native; loaded lazily, in worker processes only
  'jiti', // loads its own transform by path
  'pdfkit', // reads font metrics beside it
  'pino', // starts transports from files beside it
  'pino-pretty',
  'bufferutil', // optional native parts of ws
  'utf-8-validate',
];

/** Each of them, and files inside it as `pino/file.js`: for Rolldown's `external`. */
export const EXTERNALS = NAMES.map((name) => new RegExp(`^${name}(/.*)?$`));
