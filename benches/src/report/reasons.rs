//! Where the time of a row goes that has not reached its first target, as profiles showed it.

/// What a profile says about a row.
pub(super) fn of(id: &str) -> Option<&'static str> {
    let (_, why) = REASONS.iter().find(|(row, _)| *row == id)?;
    Some(why)
}

const REASONS: [(&str, &str); 4] = [
    (
        "T3",
        "kameo's ask stores nothing; ours encodes the event, sums it and keeps it for good. No \
         function takes over 7 % of the time. A fifth goes into the memory that a kept event takes \
         (allocation, page faults), 4 % into two looks at the clock, the rest is spread over the \
         decision, the gate and the commit of a batch of one",
    ),
    (
        "T11",
        "a row of ours has 21 columns (the other side reads one) and two checksums. A third of the \
         time is SQLite stepping over the rows, a third is asking it for columns, a tenth is \
         decoding and applying, which both sides do. One packed column a row would halve it, and \
         nobody could read a journal with a SQL tool any more",
    ),
    (
        "T12",
        "half of the time is reading ten pages for ten events, on both sides; ours asks for each \
         entry by its offset, back along the chain, where an index that every commit would have to \
         keep (T7) gives the other side all ten",
    ),
    (
        "T13",
        "the other side writes nothing. Ours takes the ownership of the file and answers a durable \
         command: four syncs, which alone take about twice as long as the other side's whole work. \
         The rest is a lock file, four connections whose settings are read back, and three threads",
    ),
];
