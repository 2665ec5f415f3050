/** Which mutants are tried: all that the rules make of the scripts that write, or a fair part of them. */
import { isEquivalent } from './equivalent';
import { type Mutant, makeMutants } from './mutants';

/** Scripts that only read, and the reading piece, are held by the tests of the API. */
const sources = import.meta.glob<string>(
  [
    '../../src-queue/redis/scripts/{cancel,configure,depend,extend,outbox,patch,prune,remove,repair,report,requeue}.lua',
    '../../src-queue/redis/scripts/{serve,submit,tick,unblock,work}.lua',
    '../../src-queue/redis/scripts/lib/{queue,endings,removal,work-writes}.lua',
  ],
  { query: '?raw', import: 'default', eager: true },
);

export const madeMutants: readonly Mutant[] = makeMutants(
  Object.fromEntries(Object.entries(sources).map(([path, text]) => [path.slice(path.lastIndexOf('/') + 1), text])),
);

/** MUTANTS many, evenly over the files, beginning where the seed says; all of them without it, or those whose name has a line of MUTANT_NAMES. */
export function triedMutants(seed: number): Mutant[] {
  const wanted = process.env.MUTANT_NAMES?.split('\n').filter((line) => line !== '');
  const all = madeMutants.filter(({ name }) =>
    wanted === undefined ? !isEquivalent(name) : wanted.some((line) => name.includes(line)),
  );
  const most = Math.min(all.length, Number(process.env.MUTANTS ?? all.length));
  const step = (n: number) => Math.floor((n * most + (seed % all.length)) / all.length);
  return all.filter((_, n) => step(n + 1) !== step(n));
}
