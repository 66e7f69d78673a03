//! Boards in the database: what their messages show, as far as that is known.

use guildwire::domain::board::Board;
use guildwire::store::boards::BoardAdded;

use crate::*;

#[tokio::test]
async fn what_a_board_shows_is_not_known_from_before_an_edit_until_its_answer() {
    on_both(async |database| {
        let store = database.open().await;
        add_linked_account(&store, "GA-1").await;
        let id = store.next_number();
        let board = Board { id, guild: GUILD, channel: CHANNEL, chosen: None, created_by: USER, created_at: at(5) };
        assert_eq!(store.add_board(&board, &by(5)).await.unwrap(), BoardAdded::Done);
        store.note_posted(id, 7, Some("nobody on"), at(6)).await.unwrap();
        let kept = async || {
            let kept = database.open().await.kept_board(id).await.unwrap().unwrap();
            (kept.message, kept.shown)
        };
        assert_eq!(kept().await, (Some(7), Some("nobody on".to_owned())));
        store.note_editing(id).await.unwrap();
        assert_eq!(kept().await, (Some(7), None), "also after a crash");
        store.note_board_shown(id, "1 player on").await.unwrap();
        assert_eq!(kept().await, (Some(7), Some("1 player on".to_owned())));
    })
    .await;
}
