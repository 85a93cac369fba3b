package zegotest

// AdminGuide is what people read of [Server.Admin].
const AdminGuide = `The simulated ZEGO's own API. Paths are below this one. Bodies are JSON and need
Content-Type: application/json, for example:

  curl -H 'Content-Type: application/json' -d '{"mini_game_id":"TinyLoveWar"}' .../rooms/demo/start

GET    /state                   totals, callbacks, rules, what was dropped
GET    /budget                  {"budget":[...]}: calls and worst second per room and action
GET    /rooms/{room}            a RoomState
POST   /rooms/{room}/start      {"mini_game_id"}: start a round; answers its {"round_id"}
POST   /rooms/{room}/settle     {"win_team","result_type","user_size","extra_data"}: end it
POST   /rooms/{room}/state      {"state"}: running, not_started or ended, silently
GET    /gifts/{msg_id}          {"effects":n,"results":[...]} of one MsgId
GET    /ledger?since=&limit=    {"effects":[...],"next":n}: effects given, oldest first
GET    /arrivals?since=&limit=  {"arrivals":[...],"next":n}: calls, oldest first
GET    /arrivals/stream?since=  server-sent events "call", one when a call arrives and
                                one when it has ended; ends after 10 minutes
GET    /faults                  {"rules":[...]} that still hold
POST   /faults                  a rule, below; answers its {"id"}
DELETE /faults, /faults/{id}    remove all rules, one rule
POST   /release                 let calls that hang go on
POST   /delivery                {"never","duplicate","reorder"}: what goes wrong with callbacks

since is the seq or id of the last item known; limit is 1 to 1000, default 100. A
rule has the fields of [Rule], all optional, times in milliseconds:

{"action":"SendDanmakuGifts","room":"r1","skip":0,"times":3,"for_ms":0,
 "fault":{"before_ms":0,"lost":false,"code":0,"work_ms":0,"hold":false,
  "result":{"result":10003,"user_id":"","gift_id":"","happened":false},
  "rows":{"reversed":false,"omit":0,"doubled":false,"contradicted":false,"foreign":false},
  "after_ms":0,"reply":"drop","status":0}}
`
