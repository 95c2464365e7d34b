-- Counts a mismatch about a subject for good, and gives back the guess that the question held.
--
-- KEYS[1]  mismatches of the day about the subject
-- KEYS[2]  guesses held by questions under way; may be absent: nothing was held, or the hold has ended
-- Returns the mismatches of the day.
local countLifeMs = 172800000
if tonumber(redis.call('GET', KEYS[2]) or 0) > 0 then redis.call('DECR', KEYS[2]) end
local mismatches = redis.call('INCR', KEYS[1])
if mismatches == 1 then redis.call('PEXPIRE', KEYS[1], countLifeMs) end
return mismatches
