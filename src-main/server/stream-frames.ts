/**
 * Frames as bytes. A task frame's body is written once; only `"seq":N` in front of it differs between channels.
 * Everything a task frame tells comes from the event itself, so no frame costs a read.
 */
import { Sender } from 'ws';
import { isFinal } from '#queue/contract/lifecycle';
import { isoTime, isoTimeOrNull } from '#queue/contract/primitives';
import type { ServerFrame, TaskSummary } from '#queue/contract/stream';
import type { TaskChange } from '#queue/engine/ports';

/** Frames that others hand in. */
export type PushedFrame = Extract<ServerFrame, { type: 'operation' | 'alert' }>;

export const encodeFrame = (frame: ServerFrame): Buffer => Buffer.from(JSON.stringify(frame));

/** @returns the frame from its second field after `seq` on, with the closing brace */
export function taskFrameBody(change: TaskChange): string {
  return `"event":"${change.event}","at":"${isoTime(change.at)}","task":${JSON.stringify(summaryOf(change))}}`;
}

export const taskFrame = (seq: number, body: string): string => `{"type":"task","seq":${seq},${body}`;

/** As ws itself puts a frame of text before its bytes on a socket, for a server: not masked, not compressed. */
declare module 'ws' {
  const Sender: { frame(data: Buffer, options: typeof TEXT): Buffer[] };
}
const TEXT = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true } as const;

/** Frames as they go over the wire, made once for however many clients: it is the writes that cost, not the bytes. */
export const framesOnWire = (frames: readonly string[]): Buffer =>
  Buffer.concat(frames.flatMap((frame) => Sender.frame(Buffer.from(frame), TEXT)));

/** @param body a JSON object's text from its first key on, with the closing brace */
export const snapshotFrame = (seq: number, body: string): Buffer =>
  Buffer.from(`{"type":"snapshot","seq":${seq},${body}`);

function summaryOf(change: TaskChange): TaskSummary {
  const ended = isFinal(change.status) && change.event !== 'removed';
  return {
    id: change.id,
    queue: change.queue,
    task_type: change.type,
    status: change.status,
    ...(change.priority === undefined ? {} : { priority: change.priority }),
    ...(change.attempts === undefined ? {} : { attempts: change.attempts }),
    ...(change.maxRetries === undefined ? {} : { max_retries: change.maxRetries }),
    ...(change.progress === undefined ? {} : { progress: change.progress }),
    ...(change.progressMessage === undefined ? {} : { progress_message: change.progressMessage }),
    ...(change.workerId === undefined ? {} : { worker_id: change.workerId }),
    ...(change.startedAt === undefined ? {} : { started_at: isoTime(change.startedAt) }),
    ...(ended ? { finished_at: isoTime(change.at) } : {}),
    ...(change.event === 'requeued' ? { finished_at: null } : {}),
    ...(change.dueAt === undefined ? {} : { next_run_at: isoTimeOrNull(change.dueAt) }),
    ...(change.error === undefined ? {} : { error: change.error }),
  };
}
