#!lua flags=no-writes
-- page.lua: one page of a set or an index, with its tasks.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] kind     lex (ids, newest first) | names (lex over name|id) | up, down (by score) | pending (by seq, newest first)
-- ARGV[2] set      name below the queue's prefix; lex: names, joined by commas
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

-- The greatest `limit` of several sources by `rank`, written to `found`. Each is read in parts that double: of most only a
-- few members are needed. `more(source, size)` adds the next ones to `source.ids` and `source.ranks`, falling.
local function merge(sources, more)
  local size = min(limit, max(8, floor(2 * limit / #sources)))
  local all, cutoff
  repeat
    local again = false
    for _, source in ipairs(sources) do
      local ranks = source.ranks
      local seen = #ranks
      if not source.over and (not cutoff or ranks[seen] > cutoff) then
        more(source, size)
        source.over = #ranks - seen < size
        again = true
      end
    end
    if again then
      all = {}
      for _, source in ipairs(sources) do
        for i, id in ipairs(source.ids) do all[#all + 1] = { id, source.ranks[i] } end
      end
      table.sort(all, function(a, b) return a[2] > b[2] end)
      cutoff = all[limit] and all[limit][2]
      size = 2 * size
    end
  until not again
  for i = 1, min(limit, #all) do
    found[2 * i - 1], found[2 * i] = all[i][1], all[i][2]
  end
end

if kind == 'lex' then
  local low = to == '' and '-' or '[' .. to
  local sources = {}
  for set_ in string.gmatch(ARGV[2], '[^,]+') do
    sources[#sources + 1] = { key = P .. set_, high = from == '' and '+' or '(' .. from }
  end
  local function read(source, size)
    return call('ZRANGE', source.key, source.high, low, 'BYLEX', 'REV', 'LIMIT', 0, size)
  end
  if #sources == 1 then
    for i, id in ipairs(read(sources[1], limit)) do found[2 * i - 1], found[2 * i] = id, '0' end
  else
    for _, source in ipairs(sources) do
      source.ids = {}
      source.ranks = source.ids -- newest first, and so are their ids
    end
    merge(sources, function(source, size)
      for _, id in ipairs(read(source, size)) do source.ids[#source.ids + 1] = id end
      if #source.ids > 0 then source.high = '(' .. source.ids[#source.ids] end
    end)
    for i = 2, #found, 2 do found[i] = '0' end
  end
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
  local sources = {}
  for _, set_ in ipairs({ PENDING, PARKED }) do
    if call('ZCARD', set_) > 0 then
      for band = 0, 9 do sources[#sources + 1] = { key = set_, band = band, below = below, ids = {}, ranks = {} } end
    end
  end
  if #sources > 0 then
    merge(sources, function(source, size)
      local zero, ids, ranks = source.band * BAND, source.ids, source.ranks
      local part = call('ZRANGE', source.key, '(' .. int(zero + source.below), int(zero), 'BYSCORE', 'REV', 'LIMIT', 0, size, 'WITHSCORES')
      for i = 1, #part, 2 do ids[#ids + 1], ranks[#ranks + 1] = part[i], tonumber(part[i + 1]) - zero end
      if #ranks > 0 then source.below = ranks[#ranks] end
    end)
    for i = 2, #found, 2 do found[i] = int(found[i]) end
  end
end
if preview < 0 then return { found, {} } end
local ids = {}
for i = 1, #found, 2 do ids[#ids + 1] = kind == 'names' and sub(found[i], -26) or found[i] end
return { found, read_tasks(ids, preview) }
