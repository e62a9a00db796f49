//! Bytes to records.

use super::*;

const FILE: &[u8] =
    "\u{feff}name,note\r\n\r\n\"Zoë, Ång\",\"two\r\nlines\"\r\n,\n\"say \"\"hi\"\"\",x\rlast,one".as_bytes();

// C10
#[test]
fn records_know_their_lines_however_the_bytes_are_cut() {
    for piece in [1, 2, 3, 7, 1_000] {
        let all = csv(FILE, piece);
        let read: Vec<(u64, u64, Vec<String>)> =
            all.iter().map(|record| (record.line, record.last_line, cells(record))).collect();
        let row = |one: &str, two: &str| vec![one.to_owned(), two.to_owned()];
        assert_eq!(
            read,
            [
                (1, 1, row("name", "note")),
                (3, 4, row("Zoë, Ång", "two\r\nlines")),
                (5, 5, row("", "")),
                (6, 6, row("say \"hi\"", "x")),
                (7, 7, row("last", "one")),
            ],
            "{piece}"
        );
        for record in &all {
            let (from, length) = (record.offset as usize, record.length as usize);
            let raw = std::str::from_utf8(&FILE[from..from + length]).unwrap();
            assert!(!raw.starts_with(['\r', '\n', '\u{feff}']) && !raw.ends_with(['\r', '\n']), "{raw:?}");
        }
    }
}

// C10
#[test]
fn reading_goes_on_behind_any_record() {
    let whole = csv(FILE, 5);
    for stop in 1..whole.len() {
        let mut first = Records::csv(b',', Place::BEGINNING);
        let mut rest = FILE;
        let before: Vec<Record> = (0..stop).filter_map(|_| first.next(&mut rest, true)).collect();
        let place = first.boundary();
        let after = records(Records::csv(b',', place), &FILE[place.offset as usize..], 4);
        assert_eq!(before.into_iter().chain(after).collect::<Vec<_>>(), whole, "{stop}");
    }
}

// C10
#[test]
fn what_cannot_be_read_is_one_record_and_not_the_end() {
    let long = [b"a\n".as_slice(), &vec![b'x'; 3 << 20], b"\nb\n"].concat();
    for all in [csv(&long, 60_000), records(Records::lines(Place::BEGINNING), &long, 60_000)] {
        assert_eq!(all.len(), 3);
        assert!(
            matches!(all[1].content, Content::Unreadable(why) if why.contains("1 MiB")),
            "{:?}",
            all[1].line
        );
        assert_eq!((all[1].length, all[2].line), (3 << 20, 3));
    }
    let wide = [vec![b','; 5_000], b"\nb\n".to_vec()].concat();
    let all = csv(&wide, 999);
    assert!(matches!(all[0].content, Content::Unreadable(_)) && cells(&all[1]) == ["b"]);
    let not_utf8 = csv(b"emails\n\xff\xfe@x.org\na@x.org\n", 4);
    let columns = Columns::of_header(&[b"emails".to_vec()]).unwrap();
    let read = |record: &Record| match &record.content {
        Content::Cells(cells) => read_cells(&columns, cells, false).unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&not_utf8[1]).unwrap_err().reason, RejectionReason::Unreadable);
    assert!(read(&not_utf8[2]).is_ok());
}

/// Each record's line with its cells; of what is unreadable only why.
fn lines_of(records: &[Record]) -> Vec<(u64, String)> {
    let said = |record: &Record| match &record.content {
        Content::Unreadable(why) => (*why).to_owned(),
        _ => cells(record).join("|"),
    };
    records.iter().map(|record| (record.line, said(record))).collect()
}

// C10
#[test]
fn a_quote_that_is_not_closed_takes_its_own_line_and_no_row_behind_it() {
    const OPEN: &str = "has a quote that is not closed";
    for (file, read) in [
        ("a,b\n\"never,closed\nx,y\n", vec![(1, "a|b"), (2, OPEN), (3, "x|y")]),
        ("a,\"b\r\nx,y\r\n\r\nz,\"w", vec![(1, OPEN), (2, "x|y"), (4, OPEN)]),
        // The quote of a later row would close it.
        (
            "e0,\"Ana\ne1,x\re2,\"Bo\"\ne3,\"\"\"Cy\"\"\"\n",
            vec![(1, OPEN), (2, "e1|x"), (3, "e2|Bo"), (4, "e3|\"Cy\"")],
        ),
        // Two of them, with a row in quotes between and behind.
        ("a,\"b\nc,\"d\ne,\"f\"\n", vec![(1, OPEN), (2, OPEN), (3, "e|f")]),
        // Lines of a cell and text behind quotes in one line are no reason.
        ("a,\"b\n\nc, \"\"d\"\"\"\n\"x\"y,z\n", vec![(1, "a|b\n\nc, \"d\""), (4, "xy|z")]),
    ] {
        for piece in [1, 2, 5, 1_000] {
            let read: Vec<(u64, String)> =
                read.iter().map(|(line, said)| (*line, (*said).to_owned())).collect();
            assert_eq!(lines_of(&csv(file.as_bytes(), piece)), read, "{file:?}");
        }
    }
}

// C10
#[test]
fn a_cell_goes_on_over_lines_up_to_a_megabyte() {
    let cell = |size: usize| [b"\"".as_slice(), &b"line\r\n".repeat(size / 6), b"\",x\nb,y\n"].concat();
    let all = csv(&cell(1_000_000), 60_000);
    assert_eq!((all.len(), all[0].last_line, cells(&all[1]).join("|")), (2, 166_667, "b|y".to_owned()));
    let all = csv(&cell(2_000_000), 60_000);
    assert!(matches!(all[0].content, Content::Unreadable(why) if why.contains("1 MiB")), "{:?}", all[0]);
    assert_eq!((all[0].last_line, all[1].line, cells(&all[1]).join("|")), (1, 2, "line".to_owned()));
    assert_eq!(cells(all.last().unwrap()).join("|"), "b|y");
    // Each line opens a quote and closes the one before.
    let open = "b\",\",c\n".repeat(3_000);
    let all = csv(open.as_bytes(), 60_000);
    assert!(matches!(all[0].content, Content::Unreadable(why) if why.contains("1,024")), "{:?}", all[0]);
    assert_eq!((all[0].line, all[1].line, all[1].offset), (1, 2, 7));
}

// C10
#[test]
fn the_header_tells_what_is_between_cells() {
    for (header, delimiter) in [
        ("emails,tags", b','),
        ("emails;tags;lists\na,b,c,d,e", b';'),
        ("emails\ttags", b'\t'),
        ("emails", b','),
        ("\"a;b;c\",d\n", b','),
    ] {
        assert_eq!(guess_delimiter(header.as_bytes()), delimiter, "{header}");
    }
}
