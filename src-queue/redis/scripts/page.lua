#!lua flags=no-writes
-- page.lua: one page of a set or an index, with its tasks.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] kind     lex (ids, newest first) | names (lex over name|id) | up, down (by score) | pending (by seq, newest first)
-- ARGV[2] set      name below the queue's prefix
-- ARGV[3] from     lex, names: upper bound; up, down: score to begin with; pending: seq to stay below; '' the first page
-- ARGV[4] to       lex, names: lower bound; '' none
-- ARGV[5] limit
-- ARGV[6] preview  bytes of each record; -1 for ids and scores only
-- ARGV[7] skip     up, down: members to leave out at the beginning (those of an equal score that were seen)
-- RETURNS {members and scores, tasks as lib/reading.lua gives them}; -1 another layout
-- DERIVES t:<id> h:<id> from the set's members
-- COST O(log N + answer)
if not known_layout() then return -1 end
local kind, key, from, to = ARGV[1], P .. ARGV[2], ARGV[3], ARGV[4]
local limit, preview, skip = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local found = {}
if kind == 'lex' then
  local ids = call('ZRANGE', key, from == '' and '+' or '(' .. from, to == '' and '-' or '[' .. to, 'BYLEX', 'REV', 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do found[#found + 1] = id; found[#found + 1] = '0' end
elseif kind == 'names' then
  local ids = call('ZRANGE', key, from, to, 'BYLEX', 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do found[#found + 1] = id; found[#found + 1] = '0' end
elseif kind == 'down' then
  found = call('ZRANGE', key, from == '' and '+inf' or from, '-inf', 'BYSCORE', 'REV', 'LIMIT', skip, limit, 'WITHSCORES')
elseif kind == 'up' then
  found = call('ZRANGE', key, from == '' and '-inf' or from, '+inf', 'BYSCORE', 'LIMIT', skip, limit, 'WITHSCORES')
elseif call('HEXISTS', KEYS[1], 'aging') == 1 then
  -- Scores are times here: in the order in which they will run, the last first.
  found = call('ZRANGE', key, from == '' and '+inf' or '(' .. from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES')
else
  local below = from == '' and BAND or tonumber(from)
  local all = {}
  for _, set_ in ipairs({ PENDING, PARKED }) do
    for band = 0, 9 do
      local part = call('ZRANGE', set_, '(' .. int(band * BAND + below), int(band * BAND), 'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES')
      for i = 1, #part, 2 do all[#all + 1] = { part[i], tonumber(part[i + 1]) - band * BAND } end
    end
  end
  table.sort(all, function(a, b) return a[2] > b[2] end)
  for i = 1, min(limit, #all) do
    found[#found + 1] = all[i][1]
    found[#found + 1] = int(all[i][2])
  end
end
if preview < 0 then return { found, {} } end
local ids = {}
for i = 1, #found, 2 do ids[#ids + 1] = kind == 'names' and sub(found[i], -26) or found[i] end
return { found, read_tasks(ids, preview) }
