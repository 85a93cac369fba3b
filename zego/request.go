package zego

// The requests have ZEGO's names and nesting, so that its documentation reads
// along. Their JSON is the body of the call.

// User is who gives, comments or likes: ZEGO's UserInfo.
type User struct {
	// UserID: 1 to 48 digits and English letters, unique within the AppId.
	UserID string `json:"UserId"`
	// Nickname: at least one character. It is cut to 32 code points, between
	// graphemes, so that an emoji is kept or dropped whole.
	Nickname string
	// Avatar: http or https URL of at most 1024 bytes.
	Avatar string
	// Sex: 1 male, 2 female; any other value is not sent.
	Sex int `json:",omitzero"`
}

// GiftInfo is what is given.
type GiftInfo struct {
	// GiftID as agreed with ZEGO, 1 to 128 bytes (ours: ZEGO gives no length).
	GiftID string `json:"GiftId"`
	// Value is how many of the gift make one effect, Num how many effects: 1 to
	// [room.CountMax] each (ours: ZEGO gives no range).
	Value int
	Num   int
}

// Gift is one entry of a GiftList.
type Gift struct {
	User User     `json:"UserInfo"`
	Info GiftInfo `json:"GiftInfo"`
	// ReceiverID may be empty; at most 128 bytes (ours).
	ReceiverID string `json:"ReceiverId,omitzero"`
	// Timestamp of the gift event, Unix ms. It stays the same when sent again.
	Timestamp int64
	// MsgID: 1 to 64 of digits, English letters, '_' and '-'; one a gift for ever.
	MsgID string `json:"MsgId"`
}

// GiftsRequest is one merged list of a room's gifts.
type GiftsRequest struct {
	RoomID     string `json:"RoomId"`     // 1 to 64 characters
	MiniGameID string `json:"MiniGameId"` // 1 to 128 bytes (ours)
	Gifts      []Gift `json:"GiftList"`   // 1 to room.BatchMax, no MsgId twice
}

// Comment is one entry of a CommentList.
type Comment struct {
	User User `json:"UserInfo"`
	// Content: at least one character, cut to 256 code points (ours), between
	// graphemes.
	Content string
}

// CommentsRequest is one merged list of a room's comments.
type CommentsRequest struct {
	RoomID     string    `json:"RoomId"`
	MiniGameID string    `json:"MiniGameId"`
	Comments   []Comment `json:"CommentList"` // 1 to room.BatchMax
}

// Like is one entry of a LikeList.
type Like struct {
	User   User `json:"UserInfo"`
	Amount int  // 1 to AmountMax
}

// LikesRequest is one merged list of a room's likes.
type LikesRequest struct {
	RoomID     string `json:"RoomId"`
	MiniGameID string `json:"MiniGameId"`
	Likes      []Like `json:"LikeList"` // 1 to room.BatchMax
}

// ResultsRequest asks what became of gifts sent earlier.
type ResultsRequest struct {
	RoomID string `json:"RoomId"`
	// MiniGameID must be the one that the gifts were sent with.
	MiniGameID string   `json:"MiniGameId"`
	MsgIDs     []string `json:"MsgIdList"` // 1 to room.BatchMax
	// Days to look back, 1 to 90; 0 is ZEGO's default of 30.
	Days int `json:"Duration,omitzero"`
}

// LaunchCodeRequest asks for the code that starts a game in the room. Asking while
// a game runs may end it.
type LaunchCodeRequest struct {
	RoomID     string `json:"RoomId"`
	MiniGameID string `json:"MiniGameId"`
	AnchorID   string `json:"AnchorId"` // the room's owner, alphabet as User.UserID
	// Nickname, Avatar and Sex are the anchor's, as in User.
	Nickname string
	Avatar   string
	Sex      int `json:",omitzero"`
}

// Response is what every answer has.
type Response struct {
	RequestID string // at most 64 bytes
	Message   string // at most 256 bytes
}

// Result is one gift's row of an answer. Rows come in any order; some may be
// missing or there twice.
type Result struct {
	MsgID     string
	Result    int    // explained by LookupResult
	Message   string // at most 256 bytes
	Timestamp int64  // query only: the gift's Timestamp as sent; 0 if not given
}

// GiftsResponse is the answer to a merged list: all of it was consumed, each row
// says whether that gift worked.
type GiftsResponse struct {
	Response
	Results []Result
}

// ResultsResponse has a row for each gift that ZEGO consumed; a gift that it never
// consumed has none, one sent again after 24 h may have several.
type ResultsResponse struct {
	Response
	Results []Result
}

// LaunchCodeResponse has the code that the host types into the game. It works for
// at least one start within 2 h.
type LaunchCodeResponse struct {
	Response
	LaunchCode string
}
