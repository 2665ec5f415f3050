/** The handler of many tasks at once: one JSON document, or one task a line. */

import { z } from 'zod';
import { QueueError } from '#queue/contract/errors';
import type { taskRoutes } from '#queue/contract/http-tasks';
import { LIMITS } from '#queue/contract/limits';
import type { BulkSubmitReply } from '#queue/contract/task';
import { parseSent } from '#queue/contract/wording';
import type { Identity } from '../auth';
import { bodyParts, parseJson, readBody, refuseCrowd, requireMediaType } from '../body';
import { BulkIntake } from '../bulk-intake';
import type { HandlerDeps, HandlersOf } from '../handlers';
import { linesOf } from '../ndjson';
import { fieldErrors, invalid } from '../problem';
import { whileRedisAnswers } from '../redis-watch';
import { type Checked, checkEntry } from '../submit-intake';

const NDJSON = 'application/x-ndjson';
/** The entries are checked one by one, each for itself. */
const Envelope = z.strictObject({ tasks: z.array(z.unknown()).max(LIMITS.bulkTasks) });

export function createBulkHandler(deps: HandlerDeps): Pick<HandlersOf<typeof taskRoutes>, 'submitTasks'> {
  const { engine, fleet, settings, clock } = deps;

  return {
    async submitTasks({ request, caller }) {
      const type = requireMediaType(request.headers, ['application/json', NDJSON]);
      const intake = new BulkIntake((specs) => whileRedisAnswers(engine.submitMany(specs), deps));
      if (type === NDJSON) await takeLines(request, caller, intake);
      else await takeDocument(request, caller, intake);
      const reply = await intake.finish();
      const warnings = (
        await Promise.all(intake.kinds.map(({ type, queue }) => fleet.warningsFor(type, queue)))
      ).flat();
      return { status: 201, body: { ...reply, ...(warnings.length > 0 && { warnings }) } };
    },
  };

  async function takeDocument(request: Request, caller: Identity, intake: BulkIntake): Promise<void> {
    const bytes = await readBody(request, { maxBytes: LIMITS.bulkBodyBytes, clock });
    if (bytes.byteLength === 0) throw new QueueError('BAD_REQUEST', 'the body is empty: it must be {"tasks": [...]}');
    const document = parseJson(bytes);
    refuseCrowd(document);
    const envelope = parseSent(Envelope, document);
    if (!envelope.success) throw invalid(fieldErrors(envelope.error));
    for (const entry of envelope.data.tasks) {
      await intake.add(checkEntry(entry, caller, settings.defaults));
    }
  }

  async function takeLines(request: Request, caller: Identity, intake: BulkIntake): Promise<void> {
    const parts = bodyParts(request, { maxBytes: Number.POSITIVE_INFINITY, clock });
    try {
      for await (const line of linesOf(parts, LIMITS.bodyBytes)) {
        if (intake.size >= LIMITS.ndjsonTasks)
          throw new QueueError('BODY_TOO_LARGE', `at most ${LIMITS.ndjsonTasks} lines are taken at once`);
        await intake.add(checkLine(line, caller));
        if (intake.lost !== null) return; // the rest is not read: the answer tells what was stored
      }
    } catch (error) {
      if (!(error instanceof QueueError) || intake.size === 0) throw error;
      const taken: BulkSubmitReply = await intake.finish();
      throw new QueueError(error.code, `${error.message}; the lines before were taken`, {
        extra: { ...taken },
        cause: error,
      });
    }
    if (intake.size === 0) throw new QueueError('BAD_REQUEST', 'the body is empty: it must be one task a line');
  }

  function checkLine(line: Uint8Array | null, caller: Identity): Checked {
    if (line === null) return { ok: false, message: `the line must be at most ${LIMITS.bodyBytes} bytes` };
    let entry: unknown;
    try {
      entry = parseJson(line);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return { ok: false, message: error.message.replace(/^the body is not (JSON|UTF-8).*$/s, 'the line is not $1') };
    }
    return checkEntry(entry, caller, settings.defaults);
  }
}
