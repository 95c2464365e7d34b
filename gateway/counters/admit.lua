-- Decides admissions of one client, one after the other, each by guesses, quota and rate, in that order, and uses one of each up.
-- All in one atomic step. A refusal writes nothing. Time is Redis's own, so gateways whose clocks differ share one bucket fairly.
--
-- KEYS  of each admission: rate: "<level> <microseconds>", the bucket as the last admission left it, level in millionths of a
--       token. Absent: full. At a whole rate the level is a whole number, so nothing is lost or gained by rounding.
-- KEYS  then, with a quota: admissions of the day
-- KEYS  then, with guesses: exchanges of the day that mismatched about the subject, a set · guesses held by questions under way
-- ARGV  of each admission five: tokens a second, above 0 · burst, the most tokens a bucket holds · quota of the day, -1: none ·
--       guesses a day, -1: none · milliseconds a guess is held for this question, 0: not held
--
-- Returns of each admission four: violated, tokens left, seconds until one is there, quota left. All whole: Redis cuts the
-- fractions off a script's numbers. violated: 0 nothing, 1 guesses, 2 quota, 3 rate. Quota left is -1 when there is none.
local tokenLevel = 1000000
local countLifeMs = 172800000 -- a day's count outlives its day, in every time zone
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answers = {}
local nextKey = 1

for first = 1, #ARGV, 5 do
  local rate, burst = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local quota, guessesMax, holdMs = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), ARGV[first + 4]
  local rateKey, quotaKey, guessesKey, heldKey = KEYS[nextKey], nil, nil, nil
  nextKey = nextKey + 1
  if quota >= 0 then
    quotaKey = KEYS[nextKey]
    nextKey = nextKey + 1
  end
  if guessesMax >= 0 then
    guessesKey, heldKey = KEYS[nextKey], KEYS[nextKey + 1]
    nextKey = nextKey + 2
  end

  local full = burst * tokenLevel
  local level = full
  local bucket = redis.call('GET', rateKey)
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
    redis.call('SET', rateKey, string.format('%.17g %.0f', level, now), 'PX', string.format('%.0f', fullAgainMs))
    if quotaKey then
      used = redis.call('INCR', quotaKey)
      if used == 1 then redis.call('PEXPIRE', quotaKey, countLifeMs) end
    end
    if guessesKey and holdMs ~= '0' then
      redis.call('INCR', heldKey)
      redis.call('PEXPIRE', heldKey, holdMs)
    end
  end

  local at = #answers
  answers[at + 1] = violated
  answers[at + 2] = math.floor(level / tokenLevel)
  answers[at + 3] = level >= tokenLevel and 0 or math.ceil((tokenLevel - level) / rate / 1000000)
  answers[at + 4] = quotaKey and math.max(0, quota - used) or -1
end

return answers
