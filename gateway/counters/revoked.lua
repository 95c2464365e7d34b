-- The token ids revoked and not yet expired; those that expired are dropped.
--
-- KEYS[1]  revoked token ids, a sorted set by expiry (epoch ms)
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
return redis.call('ZRANGE', KEYS[1], 0, -1)
