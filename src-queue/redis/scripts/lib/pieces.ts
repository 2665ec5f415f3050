/** The shared pieces of Lua, in the order in which scripts may build on them. */
import { LIMITS } from '../../../contract/limits';
import endingsLua from './endings.lua?raw';
import queueLua from './queue.lua?raw';
import readingLua from './reading.lua?raw';
import removalLua from './removal.lua?raw';
import standbyLua from './standby.lua?raw';

const boundsLua = `local EVENTS_KEPT = '${LIMITS.eventStreamEntries}'`;

export const QUEUE = [boundsLua, queueLua];
export const SUBMITTING = [...QUEUE, standbyLua];
export const ENDINGS = [...QUEUE, endingsLua];
export const WORKING = [...ENDINGS, standbyLua];
export const REMOVAL = [...ENDINGS, removalLua];
export const READING = [...QUEUE, readingLua];

/** A Lua reply that must be a list. */
export function list(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new Error(`expected a list from Redis, got ${typeof reply}`);
  return reply;
}

export const textList = (reply: unknown): string[] => list(reply).map(String);
