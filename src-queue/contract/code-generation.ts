/** The schemas where code may not be made from text: pages under a content security policy. */
import { config } from 'zod';

/** Call before the first parse. The schemas check the same, a little slower. */
export function forbidCodeGeneration(): void {
  config({ jitless: true });
}
