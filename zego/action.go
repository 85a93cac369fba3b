package zego

// Action names a call as ZEGO does.
type Action string

// The actions of the mini-game API.
const (
	ActionGifts    Action = "SendDanmakuGifts"
	ActionComments Action = "SendDanmakuComments"
	ActionLikes    Action = "SendDanmakuLikes"
	ActionQuery    Action = "DescribeDanmakuMsgResults"
	ActionLaunch   Action = "DescribeGameLaunchCode"
)

// PerSecond is how many calls of the action ZEGO takes in a second and room ("API
// overview"); 0 for an action that it does not have.
func (a Action) PerSecond() int {
	switch a {
	case ActionComments:
		return 50
	case ActionLikes:
		return 100
	case ActionGifts, ActionQuery, ActionLaunch:
		return 20
	default:
		return 0
	}
}

// Actions lists the actions.
func Actions() []Action {
	return []Action{ActionGifts, ActionComments, ActionLikes, ActionQuery, ActionLaunch}
}
