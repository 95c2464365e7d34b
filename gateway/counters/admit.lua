-- Decides one admission by guesses, quota and rate, in that order, and uses one of each up, in one atomic step.
-- A refusal writes nothing. Time is Redis's own, so gateways whose clocks differ share one bucket fairly.
--
-- KEYS[1]  rate: "<level> <microseconds>", the bucket as the last admission left it, level in millionths of a token.
--          Absent: full. At a whole rate the level is a whole number, so nothing is lost or gained by rounding.
-- KEYS     then, with a quota: admissions of the day
-- KEYS     then, with guesses: exchanges of the day that mismatched about the subject, a set · guesses held by questions
--          under way
-- ARGV[1]  tokens a second, above 0
-- ARGV[2]  burst, the most tokens a bucket holds
-- ARGV[3]  quota of the day, -1: none
-- ARGV[4]  guesses a day, -1: none
-- ARGV[5]  milliseconds a guess is held for this question, 0: not held
--
-- Returns { violated, tokens left, seconds until one is there, quota left }, all whole: Redis cuts the fractions off a
-- script's numbers. violated: 0 nothing, 1 guesses, 2 quota, 3 rate. Quota left is -1 when there is none.
local tokenLevel = 1000000
local countLifeMs = 172800000 -- a day's count outlives its day, in every time zone
local rate, burst, quota, guessesMax = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local quotaKey = quota >= 0 and KEYS[2] or nil
local guessesKey = guessesMax >= 0 and KEYS[#KEYS - 1] or nil
local heldKey = guessesMax >= 0 and KEYS[#KEYS] or nil

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = burst * tokenLevel
local level = full
local bucket = redis.call('GET', KEYS[1])
if bucket then
  local left, at = string.match(bucket, '^(%S+) (%S+)$')
  -- A clock that went back adds nothing, and does not stop the bucket from filling until it has caught up.
  level = math.min(full, left + math.max(0, now - at) * rate)
end

local used = quotaKey and tonumber(redis.call('GET', quotaKey) or 0) or 0
local violated = 0
if level < tokenLevel then violated = 3 end
if quotaKey and used >= quota then violated = 2 end
if guessesKey and redis.call('SCARD', guessesKey) + (redis.call('GET', heldKey) or 0) >= guessesMax then
  violated = 1
end

if violated == 0 then
  level = level - tokenLevel
  local fullAgainMs = math.ceil((full - level) / rate / 1000) + 1000
  redis.call('SET', KEYS[1], string.format('%.17g %.0f', level, now), 'PX', string.format('%.0f', fullAgainMs))
  if quotaKey then
    used = redis.call('INCR', quotaKey)
    if used == 1 then redis.call('PEXPIRE', quotaKey, countLifeMs) end
  end
  if guessesKey and ARGV[5] ~= '0' then
    redis.call('INCR', heldKey)
    redis.call('PEXPIRE', heldKey, ARGV[5])
  end
end

local seconds = level >= tokenLevel and 0 or math.ceil((tokenLevel - level) / rate / 1000000)
return { violated, math.floor(level / tokenLevel), seconds, quotaKey and math.max(0, quota - used) or -1 }
