/** The version of this program, as package.json says. */
import { version } from '../package.json';

export const VERSION: string = version;
