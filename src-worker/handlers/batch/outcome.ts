/** How a batch ended: one result of bounded size, and a file with everything where that does not fit or where something failed. */
import { Readable } from 'node:stream';
import { LIMITS } from '#queue/contract/limits';
import { type Artifact, type Artifacts, type ChildState, FatalError } from '../../handler';
import type { Children } from './children';

export interface ChildResult {
  index: number;
  id: string;
  status: ChildState['status'] | 'gone';
  result?: unknown;
  error?: { name: string; message: string };
}

export interface BatchResult {
  total: number;
  completed: number;
  /** Those that are gone included. */
  failed: number;
  cancelled: number;
  /** In the order of the items; as many as fit. */
  results: ChildResult[];
  results_omitted?: number;
  /** All results, one JSON line each: where they did not fit, or where some failed. */
  artifact?: Pick<Artifact, 'name' | 'bytes' | 'media_type'>;
}

/** What `results` may take of the result, as JSON. */
const INLINE_BYTES = LIMITS.resultBytes - 16 * 1024;
const NAMED_FAILURES = 5;
const FILE = 'results.ndjson';

/**
 * Call when all have ended.
 * @throws {FatalError} more than `maxFailures` failed; it names the first of them
 */
export async function outcomeOf(children: Children, maxFailures: number, artifacts: Artifacts): Promise<BatchResult> {
  const failed = children.count('failed') + children.count('gone');
  const results: ChildResult[] = [];
  const failures: ChildResult[] = [];
  let bytes = 0;
  let omitted = 0;
  for await (const child of children.states()) {
    const entry = toResult(child);
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (omitted === 0 && bytes + size <= INLINE_BYTES) {
      results.push(entry);
      bytes += size;
    } else omitted++;
    if ((entry.status === 'failed' || entry.status === 'gone') && failures.length < NAMED_FAILURES)
      failures.push(entry);
  }
  const artifact = omitted > 0 || failed > 0 ? await writeAll(children, artifacts) : null;
  if (failed > maxFailures) throw failure(failed, children.ids.length, maxFailures, failures);
  return {
    total: children.ids.length,
    completed: children.count('completed'),
    failed,
    cancelled: children.count('cancelled'),
    results,
    ...(omitted > 0 && { results_omitted: omitted }),
    ...(artifact !== null && { artifact }),
  };
}

function toResult({ index, id, state }: { index: number; id: string; state: ChildState | null }): ChildResult {
  if (state === null)
    return {
      index,
      id,
      status: 'gone',
      error: { name: 'GoneError', message: 'removed before the batch saw how it ended' },
    };
  return {
    index,
    id,
    status: state.status,
    ...(state.status === 'completed' && { result: state.result }),
    ...(state.error !== null && state.status !== 'completed' && { error: state.error }),
  };
}

async function writeAll(children: Children, artifacts: Artifacts): Promise<BatchResult['artifact'] & object> {
  async function* lines(): AsyncGenerator<string> {
    for await (const child of children.states()) yield `${JSON.stringify(toResult(child))}\n`;
  }
  const { name, bytes, media_type } = await artifacts.write(
    FILE,
    Readable.from(lines(), { objectMode: false }),
    'application/x-ndjson',
  );
  return { name, bytes, media_type };
}

function failure(failed: number, total: number, allowed: number, named: readonly ChildResult[]): FatalError {
  const list = named.map(
    ({ index, id, error }) =>
      `item ${index} (${id}): ${error?.name ?? 'Error'}: ${(error?.message ?? '').slice(0, 100)}`,
  );
  const more = failed > named.length ? `; and ${failed - named.length} more` : '';
  return new FatalError(
    `${failed} of ${total} tasks failed, ${allowed} may: ${list.join('; ')}${more}; all results are in ${FILE}`,
  );
}
