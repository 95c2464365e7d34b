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
-- Of each bucket and each day's count what this batch has made of it: read once, and written once, at the end.
local buckets, counts = {}, {}

for first = 1, #ARGV, 5 do
  local rate, burst = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local quota, guessesMax, holdMs = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), ARGV[first + 4]
  local rateKey, quotaKey, guessesKey, heldKey, held = KEYS[nextKey], nil, nil, nil, nil
  nextKey = nextKey + 1
  local bucket = buckets[rateKey]
  if not bucket then
    local left, at = string.match(redis.call('GET', rateKey) or '', '^(%S+) (%S+)$')
    bucket = { left = left, at = at }
    buckets[rateKey] = bucket
  end
  local count = nil
  if quota >= 0 then
    quotaKey = KEYS[nextKey]
    nextKey = nextKey + 1
    count = counts[quotaKey]
    if not count then
      count = { used = tonumber(redis.call('GET', quotaKey) or 0), added = 0 }
      counts[quotaKey] = count
    end
  end
  if guessesMax >= 0 then
    guessesKey, heldKey = KEYS[nextKey], KEYS[nextKey + 1]
    held = tonumber(redis.call('GET', heldKey) or 0)
    nextKey = nextKey + 2
  end

  local full = burst * tokenLevel
  local level = full
  -- A clock that went back adds nothing, and does not stop the bucket from filling until it has caught up.
  if bucket.at then level = math.min(full, bucket.left + math.max(0, now - bucket.at) * rate) end

  local violated = 0
  if level < tokenLevel then violated = 3 end
  if count and count.used >= quota then violated = 2 end
  if guessesKey and redis.call('SCARD', guessesKey) + held >= guessesMax then violated = 1 end

  if violated == 0 then
    level = level - tokenLevel
    bucket.left, bucket.at = level, now
    bucket.keptMs = math.ceil((full - level) / rate / 1000) + 1000
    if count then count.used, count.added = count.used + 1, count.added + 1 end
    if guessesKey and holdMs ~= '0' then redis.call('SET', heldKey, held + 1, 'PX', holdMs) end
  end

  local at = #answers
  answers[at + 1] = violated
  answers[at + 2] = math.floor(level / tokenLevel)
  answers[at + 3] = level >= tokenLevel and 0 or math.ceil((tokenLevel - level) / rate / 1000000)
  answers[at + 4] = count and math.max(0, quota - count.used) or -1
end

for key, bucket in pairs(buckets) do
  if bucket.keptMs then
    local stored = string.format('%.17g %.0f', bucket.left, bucket.at)
    redis.call('SET', key, stored, 'PX', string.format('%.0f', bucket.keptMs))
  end
end
for key, count in pairs(counts) do
  if count.added > 0 and redis.call('INCRBY', key, count.added) == count.added then
    redis.call('PEXPIRE', key, countLifeMs)
  end
end

return answers
