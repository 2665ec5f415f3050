/** The shared pieces of Lua, in the order in which scripts may build on them. */
import endingsLua from './endings.lua?raw';
import queueLua from './queue.lua?raw';
import readingLua from './reading.lua?raw';
import removalLua from './removal.lua?raw';

export const QUEUE = [queueLua];
export const ENDINGS = [queueLua, endingsLua];
export const REMOVAL = [queueLua, endingsLua, removalLua];
export const READING = [queueLua, readingLua];

/** A Lua reply that must be a list. */
export function list(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new Error(`expected a list from Redis, got ${typeof reply}`);
  return reply;
}

export const textList = (reply: unknown): string[] => list(reply).map(String);
