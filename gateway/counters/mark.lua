-- From now on, if not from earlier, what a client begins is remembered (begin.lua has the marker's form and why).
--
-- KEYS[1]  marker
-- Returns 1 when it was made anew, else 0.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if string.match(redis.call('GET', KEYS[1]) or '', '^(%x+) %d+$') == run then return 0 end
local time = redis.call('TIME')
redis.call('SET', KEYS[1], run .. ' ' .. string.format('%.0f', time[1] * 1000 + math.ceil(time[2] / 1000)))
return 1
