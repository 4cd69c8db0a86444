//! A disk that is full, and has room again later.

use statefn_disk::sweep::every_capacity;

#[test]
fn a_full_disk_is_called_so_reads_go_on_and_room_is_all_that_it_takes_to_go_on() {
    let sweep = every_capacity(3, 6_000);
    assert!(sweep.wrong.is_empty(), "{sweep}");
    assert!(sweep.sites > 10 && sweep.told.unknown > 0, "{sweep}");
}
