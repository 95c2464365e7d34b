-- Revokes a token until it would have expired, unless the list is full. Expired ones make room first.
--
-- KEYS[1]  revoked token ids, a sorted set by expiry (epoch ms)
-- ARGV[1]  token id
-- ARGV[2]  expiry, epoch ms; an earlier one than is there changes nothing
-- ARGV[3]  the most ids the list may hold
-- Returns 1, or 0 when the list is full and the token is not on it.
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
return 1
