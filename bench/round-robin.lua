-- wrk's script: ids of the sequences t0, t1, … in turn, as many as the first argument says.

local requests, at = {}, 0

function init(args)
  for i = 1, tonumber(args[1]) do
    requests[i] = wrk.format('GET', wrk.path .. '?app_tag=t' .. i - 1)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
