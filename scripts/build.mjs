/** `npm run build`: out/, from the sources as they are. */
import { buildAll } from './bootstrap.mjs';

process.exitCode = buildAll('info') ? 0 : 1;
