-- Ends a question about a subject: gives the guess it held back and, after a mismatch, counts one for good.
--
-- KEYS[1]  mismatches of the day about the subject
-- KEYS[2]  guesses held by questions under way; may be absent: nothing was held, or the hold has ended
-- ARGV[1]  1 after a mismatch, else 0
-- Returns the mismatches of the day.
local countLifeMs = 172800000
if tonumber(redis.call('GET', KEYS[2]) or 0) > 0 then redis.call('DECR', KEYS[2]) end
if ARGV[1] == '0' then return tonumber(redis.call('GET', KEYS[1]) or 0) end
local mismatches = redis.call('INCR', KEYS[1])
if mismatches == 1 then redis.call('PEXPIRE', KEYS[1], countLifeMs) end
return mismatches
