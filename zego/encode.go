package zego

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/giftwire/giftwire/room"
)

// encode checks the request and returns the body of the call. What fits is cut on a
// copy: the caller's request stays as it is.
func (r GiftsRequest) encode() ([]byte, error) {
	if err := checkCall(r.RoomID, r.MiniGameID); err != nil {
		return nil, err
	}
	var err error
	if r.Gifts, err = fitAll("GiftList", r.Gifts, (*Gift).fit); err != nil {
		return nil, err
	}
	ids := make([]string, len(r.Gifts))
	for i := range r.Gifts {
		ids[i] = r.Gifts[i].MsgID
	}
	if err := checkUnique("GiftList", ids); err != nil {
		return nil, err
	}
	return encodeBody(r)
}

func (r CommentsRequest) encode() ([]byte, error) {
	if err := checkCall(r.RoomID, r.MiniGameID); err != nil {
		return nil, err
	}
	var err error
	if r.Comments, err = fitAll("CommentList", r.Comments, (*Comment).fit); err != nil {
		return nil, err
	}
	return encodeBody(r)
}

func (r LikesRequest) encode() ([]byte, error) {
	if err := checkCall(r.RoomID, r.MiniGameID); err != nil {
		return nil, err
	}
	var err error
	if r.Likes, err = fitAll("LikeList", r.Likes, (*Like).fit); err != nil {
		return nil, err
	}
	return encodeBody(r)
}

func (r ResultsRequest) encode() ([]byte, error) {
	if err := checkCall(r.RoomID, r.MiniGameID); err != nil {
		return nil, err
	}
	if r.Days < 0 || r.Days > daysMax {
		return nil, fmt.Errorf("the Duration %d is not between 1 and %d days", r.Days, daysMax)
	}
	if err := checkList("MsgIdList", len(r.MsgIDs)); err != nil {
		return nil, err
	}
	for i, id := range r.MsgIDs {
		if err := checkMsgID(id); err != nil {
			return nil, fmt.Errorf("MsgIdList[%d]: %w", i, err)
		}
	}
	if err := checkUnique("MsgIdList", r.MsgIDs); err != nil {
		return nil, err
	}
	return encodeBody(r)
}

func (r LaunchCodeRequest) encode() ([]byte, error) {
	if err := checkCall(r.RoomID, r.MiniGameID); err != nil {
		return nil, err
	}
	anchor := User{UserID: r.AnchorID, Nickname: r.Nickname, Avatar: r.Avatar, Sex: r.Sex}
	if err := anchor.fit(); err != nil {
		return nil, fmt.Errorf("anchor: %w", err)
	}
	r.Nickname, r.Sex = anchor.Nickname, anchor.Sex
	return encodeBody(r)
}

func encodeBody(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	if len(body) > room.BatchBytes {
		return nil, fmt.Errorf("body has %d bytes, at most %d are allowed", len(body), room.BatchBytes)
	}
	return body, nil
}
