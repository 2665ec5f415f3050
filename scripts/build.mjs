/** `npm run build`: out/, from the sources as they are. */
import { buildAll } from './bootstrap.mjs';
import { oneAtATime } from './one-at-a-time.mjs';

process.exitCode = oneAtATime('bootstrap', () => buildAll('info')) ? 0 : 1;
