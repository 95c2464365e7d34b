-- Adds a batch of audit counts to its day, once: a batch sent again because its answer was lost changes nothing.
--
-- KEYS[1]  the day's counts, a hash of name → count
-- KEYS[2]  number of the last batch this writer added to the day
-- ARGV[1]  number of this batch; a writer sends one at a time, numbered upwards
-- ARGV[2]  milliseconds the counts are kept after the last change
-- ARGV     then name, count, name, count, …
-- Returns 1 when added, 0 when it had been added before.
local writerLifeMs = 172800000 -- longer than any process holds on to one batch
if tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'PX', writerLifeMs)
return 1
