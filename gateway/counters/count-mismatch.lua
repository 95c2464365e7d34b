-- Counts an exchange's mismatch about a subject for good, and gives back the guess that its question held. Both once: the
-- same exchange counted again changes nothing, or it would give back what another question holds.
--
-- KEYS[1]  exchanges of the day that mismatched about the subject, a set
-- KEYS[2]  guesses held by questions under way; may be absent: nothing was held, or the hold has ended
-- ARGV[1]  exchange id
-- ARGV[2]  the most the set holds; more are not told apart, since every limit is reached by then
-- Returns the mismatches of the day.
local countLifeMs = 172800000
local mismatches = redis.call('SCARD', KEYS[1])
if mismatches >= tonumber(ARGV[2]) or redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return mismatches end
if mismatches == 0 then redis.call('PEXPIRE', KEYS[1], countLifeMs) end
if tonumber(redis.call('GET', KEYS[2]) or 0) > 0 then redis.call('DECR', KEYS[2]) end
return mismatches + 1
