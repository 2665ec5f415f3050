/**
 * Mutants that no test can tell from the script that they were made from, because they differ in cost only, or at a bound
 * that the model's rows never reach: by name, with the reason. A name that fits no mutant fails the test.
 */
const CHUNKS = 'a list that is handed over in parts ends where it ends when handed over whole';
const WARM = 'it is read so that a wrong type fails before the first write; its value is not used';
const BARE = 'an index of an empty name has no members: nothing is removed from it';
export const EQUIVALENT: Readonly<Record<string, string>> = {
  'queue.lua: if total <= 1000 then call(command, key, unpack(list)) return end (<= → <)': CHUNKS,
  'queue.lua: if total <= 1000 then call(command, key, unpack(list)) return end (never)': CHUNKS,
  "removal.lua: if owner ~= '' then call('ZREM', P .. 'ix:o:' .. owner, id) end (always)": BARE,
  "removal.lua: if name ~= '' then call('ZREM', P .. 'ix:n', string.lower(name) .. '|' .. id) end (always)": BARE,
  "removal.lua: if known and sub(known, 1, 26) == id then call('DEL', P .. 'i:' .. key) end (and → or)":
    'a key has another owner only after a day, and the clock of a row stays within one',
  "report.lua: if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end (~= → ==)": WARM,
  "report.lua: if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end (never)": WARM,
  "report.lua: if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end (always)": WARM,
  "serve.lua: local parked = call('ZRANGE', PARKED, 0, tonumber(ARGV[2]) - 1, 'WITHSCORES') (- 1 → - 0)":
    'one task more than asked for is looked at: a bound of cost',
  "submit.lua: local anyThere = call('EXISTS', unpack(keys)) > 0 (> → >=)":
    'each id is looked up once more, with the same answer',
};
