/**
 * Mutants that no test can tell from the script that they were made from, because they differ in cost only, or at a bound
 * that the model's rows never reach: by name, with the reason. A name that fits no mutant fails the test.
 */
const WARM = 'it is read so that a wrong type fails before the first write; its value is not used';
const BARE = 'an index of an empty name has no members: nothing is removed from it';
const BOUND = 'at the bound, what is set is what is there';
const SAME_VALUE = 'the value that is there is written once more';
const COST = 'more is read than is needed: nothing else follows';
const SAME_TEXT = 'a number is printed in another way, or once more, to the same text';
const NOT_BOTH = 'a bar and the end of a line do not stand in one place';
const EMPTY = 'with nothing in the list nothing is written';
const FAST = 'it decides how Redis keeps a table, not what is in it';
const NO_MEMBER = 'what is no member is removed: nothing changes';
export const EQUIVALENT: Readonly<Record<string, string>> = {
  "removal.lua: if owner ~= '' then leave(P .. 'ix:o:' .. owner, id) end (always)": BARE,
  "removal.lua: if name ~= '' then leave(P .. 'ix:n', string.lower(name) .. '|' .. id) end (always)": BARE,
  "report.lua: if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end (~= → ==)": WARM,
  "report.lua: if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end (never)": WARM,
  "report.lua: if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end (always)": WARM,
  "serve.lua: local parked = call('ZRANGE', PARKED, 0, tonumber(ARGV[2]) - 1, 'WITHSCORES') (- 1 → - 0)":
    'one task more than asked for is looked at: a bound of cost',
  "submit.lua: local anyThere = call('EXISTS', unpack(keys)) > 0 (> → >=)":
    'each id is looked up once more, with the same answer',
  "queue.lua: if isNew then set('schema', '1') end (always)": SAME_VALUE,
  'queue.lua: if n < 100 then return int(n) end (< → <=)': SAME_TEXT,
  'queue.lua: if n < 100 then return int(n) end (always)': SAME_TEXT,
  'queue.lua: if not text then (always)': SAME_TEXT,
  'queue.lua: if not size then (always)': SAME_TEXT,
  'queue.lua: if not trailer then (always)': SAME_TEXT,
  "queue.lua: if not bar or bar > stop then return '' end (> → >=)": NOT_BOTH,
  'queue.lua: if not bar or bar > stop then bar = stop end (> → >=)': NOT_BOTH,
  'submit.lua: if not groups[key] then typeList[#typeList + 1] = taskType end (always)':
    'a type is added to the set of types twice',
  'submit.lua: local number = n > 8 and near_numbers() or int (> → >=)': SAME_TEXT,
  'submit.lua: if not kind then (always)': COST,
  'work.lua: if not kind then (always)': COST,
  'work.lua: local number = total + want > 8 and near_numbers() or int (> → >=)': SAME_TEXT,
  "work-writes.lua: if inFront and taken > 0 then call('ZREMRANGEBYRANK', PENDING, '0', int(taken - 1)) (> → >=)":
    'nothing is pending where nothing was found in front',
  'work-writes.lua: if nO > 0 then (> → >=)': EMPTY,
  'work-writes.lua: if nO > 0 then (always)': EMPTY,
  "work-writes.lua: if taken > 0 then set('epoch', int(epoch)) end (> → >=)": SAME_VALUE,
  "work-writes.lua: if taken > 0 then set('epoch', int(epoch)) end (always)": SAME_VALUE,
  "work-writes.lua: if ended > 0 then set('bytes', int(bytes)) end (> → >=)": SAME_VALUE,
  "work-writes.lua: if ended > 0 then set('bytes', int(bytes)) end (always)": SAME_VALUE,
  "work-writes.lua: if due ~= dueBefore then set('due', int(due)) end (always)": SAME_VALUE,
  'work.lua: if has(bits, F_UNIQUE) or has(bits, F_NEEDED) then needHead[#needHead + 1] = i end (always)':
    'a head is read of which nothing is needed: a bound of cost',
  'work.lua: if total > 0 then (> → >=)': COST,
  'work.lua: if #needHead > 0 then (never)': WARM,
  'work.lua: if #needHead > 0 then (> → >=)': WARM,
  'work.lua: if #needHead > 0 then (always)': WARM,
  'work.lua: if size <= 0 then break end (<= → <)': COST,
  'work.lua: if size <= 0 then break end (never)': COST,
  'work.lua: if round > 1 then size = max(size, 50) end (> → >=)': COST,
  'work.lua: if round > 1 then size = max(size, 50) end (always)': COST,
  'work.lua: while #batch < size and (r <= #ready or heap[p]) do (< → <=)': COST,
  "work-writes.lua: if reported > 0 then many('HDEL', PROGRESS, gone) end (> → >=)": NO_MEMBER,
  "work-writes.lua: if reported > 0 then many('HDEL', PROGRESS, gone) end (always)": NO_MEMBER,
  'work-writes.lua: if rateUntil and (untilDue < 0 or rateUntil < untilDue) then untilDue = rateUntil end (< → <=)':
    BOUND,
  'work.lua: table.sort(ready, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end) (== → ~=)':
    'no two tasks have the same score',
  'repair.lua: if place == SCHEDULED then due = min(tonumber(due or NEVER), tonumber(score)) end (always)':
    'an earlier lower bound of the next due time: one look more, which puts it right',
  'work.lua: if has(bits, F_HISTORY) then needHistory[#needHistory + 1] = i end (always)':
    'to append to a history that is not there makes it',
  'work.lua: if want > 0 and not paused and not repeated then (> → >=)':
    'it tells of a limit to a call that asks for nothing, which does not look',
  'work.lua: if allow > 0 then (> → >=)': COST,
  'work.lua: if allow > 0 then (always)': COST,
  'work.lua: if total > 0 then (always)': COST,
  'work.lua: elseif bits > 0 then (> → >=)': COST,
  'tick.lua: if wall >= due then (always)': COST,
  'removal.lua: if has(head_flags(head), F_EXPIRES) then leave(EXPIRING, id) end (always)': NO_MEMBER,
  'work.lua: if repeated then (always)': COST,
  'work.lua: if record then (always)': 'a task that runs has a record: the check is a second guard',
  "queue.lua: if aging == nil then aging = call('HGET', KEYS[1], 'aging') end (always)": COST,
  "removal.lua: for _ = 1, 2 do bar = bar and bar < stop and find(head, '|', bar + 1, true) end (and → or)": COST,
  'removal.lua: if says_more(head) then (always)': COST,
  "removal.lua: if from ~= FAILED then unlink(P .. 'waits:' .. id) end (always)": NO_MEMBER,
  "work-writes.lua: if dueAt ~= '' then due = min(due, wall + delay) end (always)":
    'an earlier lower bound of the next due time: one look more, which puts it right',
  'work-writes.lua: if #promoted > 0 then (always)': EMPTY,
  'work-writes.lua: if refusals > 0 then (always)': 'the same verdicts, put together one by one',
  'prune.lua: if ended < wall - 10000 then (< → <=)':
    'whether a task goes after exactly ten seconds or a millisecond later decides nothing',
  'work.lua: if r > #ready then (never)': 'what is merged with nothing stays as it is',
  'work.lua: if #promoted > 0 then (> → >=)': EMPTY,
  'work-writes.lua: if ended > 0 then (always)': EMPTY,
  "work-writes.lua: if kind == 'F' or kind == 'D' or kind == 'X' or historyBytes[i] < 65536 then (< → <=)":
    'whether a history of exactly 64 KiB gets one more segment decides nothing',
  "work-writes.lua: local long = taken > 8 and string.rep('-', 65) (> → >=)": FAST,
  'work-writes.lua: if long then (never)': FAST,
  "work-writes.lua: call('ZADD', LEASES, '0', long) (no write)": FAST,
  "work-writes.lua: call('HSET', ACTIVE, long, '') (no write)": FAST,
  'endings.lua: if not has(head_flags(head), F_UNIQUE) then return end (never)':
    'the owner of the empty unique key is asked for: there is none',
  "endings.lua: if call('HGET', UNIQUE, key) == id then call('HDEL', UNIQUE, key) end (always)":
    'a task that has a unique key and has not ended is its owner: the check is a second guard',
};

/** The same on many lines. */
export const EQUIVALENT_LINES: readonly { names: RegExp; reason: string }[] = [
  { names: /if cap < clockCap .*\(< → <=\)$/, reason: SAME_VALUE },
  { names: /F_EXPIRES\) then call\('ZREM', EXPIRING, id\) end \(always\)$/, reason: NO_MEMBER },
];

export const isEquivalent = (name: string): boolean =>
  EQUIVALENT[name] !== undefined || EQUIVALENT_LINES.some(({ names }) => names.test(name));
