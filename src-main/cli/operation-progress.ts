/** Waits for the end of an operation and shows how far it is: a bar on a terminal, nothing elsewhere. */
import { SingleBar } from 'cli-progress';
import { Operation, type OperationState } from '#queue/contract/operation';
import { CliError, EXIT } from './exit';
import { pause, type Session } from './session';

const ENDED: readonly OperationState[] = ['done', 'aborted'];
const POLL_FIRST_MS = 50;
const POLL_LAST_MS = 500;

/**
 * Ctrl-C stops the waiting, not the operation.
 * @returns its last state @throws {CliError} 130
 */
export async function followOperation(started: Operation, { client, io }: Session): Promise<Operation> {
  const bar = io.errIsTerminal
    ? new SingleBar({
        format: '{bar} {percentage} % | {value} of {total} | {eta_formatted} left',
        stream: io.errStream,
        hideCursor: true,
      })
    : null;
  bar?.start(started.matched, handled(started));
  try {
    let operation = started;
    for (let ms = POLL_FIRST_MS; !ENDED.includes(operation.state); ms = Math.min(POLL_LAST_MS, ms * 1.5)) {
      await pause(io, ms);
      operation = await client.get(`/api/operations/${encodeURIComponent(started.id)}`, Operation);
      bar?.update(handled(operation));
    }
    return operation;
  } catch (error) {
    if (error instanceof CliError && error.exit === EXIT.interrupted) {
      throw new CliError(EXIT.interrupted, `interrupted; operation ${started.id} goes on`, { cause: error });
    }
    throw error;
  } finally {
    bar?.stop();
  }
}

const handled = ({ done, skipped, failed }: Operation): number => done + skipped + failed;
