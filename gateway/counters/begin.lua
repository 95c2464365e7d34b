-- Begins an exchange under an Idempotency-Key, unless the key is taken, and tells since when this client's keys are remembered.
--
-- KEYS[1]  the key's entry, see beginning.ts
-- KEYS[2]  marker, never expiring: "<run id of the server> <epoch ms>", since when nothing of this client was forgotten.
--          Lost together with the entries (one hash tag, so one node). A server with another run id was restarted or
--          is a replica put in charge: it may lack the last writes, so the marker starts anew.
-- ARGV[1]  the entry to write
-- ARGV[2]  milliseconds the key is remembered
-- Returns { the entry that was there, 0 }, or { '', epoch ms of the marker } when begun.
local taken = redis.call('GET', KEYS[1])
if taken then return { taken, 0 } end

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local markedRun, since = string.match(redis.call('GET', KEYS[2]) or '', '^(%x+) (%d+)$')
if markedRun ~= run then
  local time = redis.call('TIME')
  since = string.format('%.0f', time[1] * 1000 + math.ceil(time[2] / 1000))
  redis.call('SET', KEYS[2], run .. ' ' .. since)
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { '', tonumber(since) }
