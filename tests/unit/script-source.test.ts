import { describe, expect, it } from 'vitest';
import { joinScript } from '#queue/redis/script-source';

const LIB = [
  `local P = 'p:'
local PENDING = P .. 'pending'
local FAILED = P .. 'failed'
local call = redis.call

local function one(n) return n + 1 end

-- Uses \`unused\` in words only.
local function two(n)
  if n > 1 then
    return one(one(n))
  end
  return n
end

local function unused(n)
  return FAILED .. n
end
local shared = one(1)`,
];

describe('a script joined with its shared pieces', () => {
  const joined = joinScript('#!lua flags=no-writes\nreturn two(call("ZCARD", PENDING))\n', LIB);

  it('begins with its shebang line, and ends with itself', () => {
    expect(joined.startsWith('#!lua flags=no-writes\n')).toBe(true);
    expect(joined.endsWith('\nreturn two(call("ZCARD", PENDING))\n')).toBe(true);
  });

  it('has the functions and keys that it uses, those that they use, and all that is neither', () => {
    for (const kept of [
      'local function two(n)\n',
      'local function one(n) return n + 1 end',
      "local PENDING = P .. 'pending'",
    ])
      expect(joined).toContain(kept);
    for (const kept of ["local P = 'p:'", 'local call = redis.call', 'local shared = one(1)'])
      expect(joined).toContain(kept);
  });

  it('has no others; a name in a comment does not count', () => {
    expect(joined).not.toContain('local function unused');
    expect(joined).not.toContain('FAILED');
    expect(joinScript('#!lua\n-- unused\nreturn 1', LIB)).not.toContain('local function unused');
  });

  it('keeps what stands in the code of a function that is used only through another one', () => {
    expect(joinScript('#!lua\nreturn unused(1)', LIB)).toContain("local FAILED = P .. 'failed'");
  });

  it('is itself where nothing is shared', () => {
    expect(joinScript('#!lua\nreturn 1', [])).toBe('#!lua\n\nreturn 1');
  });
});
