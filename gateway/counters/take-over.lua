-- Gives an Idempotency-Key to another exchange, if it still names the one it is taken from.
--
-- KEYS[1]  the key's entry, see beginning.ts
-- ARGV[1]  exchange id it must name
-- ARGV[2]  the entry to write
-- ARGV[3]  milliseconds the key is remembered, from now
-- Returns 1 when taken over, else 0.
local entry = redis.call('GET', KEYS[1])
if not entry or string.match(entry, '^%S+') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
