-- Frees an Idempotency-Key whose exchange never came about, unless another exchange has it by now.
--
-- KEYS[1]  the key's entry, see beginning.ts
-- ARGV[1]  exchange id
-- Returns 1 when freed, else 0.
local entry = redis.call('GET', KEYS[1])
if entry and string.match(entry, '^%S+') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
