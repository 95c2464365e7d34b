-- Gives back guesses that questions held and did not use up: their replies were no mismatches, or never came.
--
-- KEYS[1..n]  guesses held about one subject each, of one client; may be absent: the hold has ended
-- Returns n.
for _, held in ipairs(KEYS) do
  if tonumber(redis.call('GET', held) or 0) > 0 then redis.call('DECR', held) end
end
return #KEYS
