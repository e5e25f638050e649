//! What a shell would make of a text, and what is the same however a command is written.

use proptest::prelude::*;

use super::quote::quote_word;
use super::words::list_command_words;
use super::*;

fn listed(text: &str) -> Vec<String> {
    let line = |simple: &SimpleCommand| {
        let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
        format!(
            "{}{}",
            if simple.piped { "| " } else { "" },
            words.join(" ")
        )
    };
    read_script(text).commands.iter().map(line).collect()
}

#[test]
fn commands_are_told_apart_through_quotes_and_operators() {
    assert_eq!(
        listed(
            "set -eu; A=1 ./x 'a | b' \"c; d\" && e 2>/dev/null || f >out & g | h # | i\nj\\\n k"
        ),
        ["set -eu", "A=1 ./x a | b c; d", "e", "f", "g", "| h", "j k"]
    );
    assert_eq!(
        listed("if ./a; then b; else { c; }; fi; while ! d; do e; done"),
        ["./a", "b", "c", "d", "e"]
    );
    assert_eq!(
        listed("case $1 in a|b) c | d ;; (e) f ;; *) g;; esac; h"),
        ["c", "| d", "f", "g", "h"]
    );
    let script = read_script("sort < in.txt > out.txt 2>> log 3>&1");
    assert_eq!(script.commands[0].inputs, ["in.txt"]);
    assert_eq!(script.commands[0].outputs, ["out.txt", "log"]);
}

#[test]
fn a_pipe_is_found_where_a_shell_would_make_one() {
    for text in [
        "esbuild src/index.ts | gzip | wc -c",
        "n=$(cat x | wc -l); echo $n",
        "echo \"METRIC n=$(a | b)\"",
        "echo `a | b`",
        "a |\n b",
        "a | { b; }",
        "(a | b)",
        "if a | grep -q b; then c; fi",
        "case x in y) a | b;; esac",
    ] {
        assert!(has_pipe(text), "{text}");
    }
    for text in [
        "grep -c any src/a || true",
        "awk '{print $1 | \"sort\"}' x",
        "grep -E \"a|b\" x",
        "sh -c 'a | b'",
        "echo a \\| b",
        "echo x >| out",
        "case x in a|b) c;; esac",
        "echo $((1 | 2))",
        "python3 - <<'END'\nprint(1 | 2)\nEND\necho done",
        "a # b | c",
        "echo ${x:-a|b}",
    ] {
        assert!(!has_pipe(text), "{text}");
    }
}

#[test]
fn what_only_bash_knows_is_named_as_it_is_written() {
    for (text, name) in [
        ("source venv/activate && sh m.sh", "source"),
        ("[[ -f x ]] && echo 1", "[[ ]]"),
        ("files=(a b); echo 1", "an array"),
        ("diff <(a) <(b)", "<( )"),
        ("set -euo pipefail; a | b", "set -o pipefail"),
        ("for i in {1..3}; do a; done", "{1..3}"),
        ("make &> log; wc -l < log", "&>"),
        ("wc -c <<< abc", "<<<"),
        ("a |& b", "|&"),
        ("(( x > 1 )) && a", "(( ))"),
        ("echo $(source x; b)", "source"),
    ] {
        assert_eq!(list_bash_syntax(text), [name], "{text}");
    }
    for text in [
        ". venv/activate && sh m.sh",
        "[ -f x ] && echo 1",
        "bash -c 'source x; [[ 1 ]]'",
        "find . -exec grep x {} +",
        "make > log 2>&1; wc -l < log",
        "echo source '{1..3}' \"[[\"",
        "echo ${x:-a,b} $((1+2))",
        "(cd a && b)",
        "awk '{a[1,2]=3}' x",
        "cat <<'END'\nsource x\n[[ a ]]\nEND",
    ] {
        assert_eq!(list_bash_syntax(text), Vec::<String>::new(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "(?s)[ -~\\n\\t]{0,80}", wild in "(?s).{0,40}") {
        for text in [&text, &wild] {
            let _ = (has_pipe(text), list_bash_syntax(text));
        }
    }

    #[test]
    fn what_is_single_quoted_is_one_word(inner in "[ -&(-~]{0,30}") {
        let script = read_script(&format!("a '{inner}' b"));
        let words: Vec<&str> = script.commands[0].words.iter().map(|word| word.text.as_str()).collect();
        proptest::prop_assert_eq!(words, ["a", inner.as_str(), "b"]);
        proptest::prop_assert!(script.nested.is_empty() && script.bash.is_empty());
    }
}

/// A whole script in one line: quoted words in brackets, files behind `<` and `>`, and what is nested and of bash.
fn show_script(text: &str) -> String {
    let script = read_script(text);
    let mut shown = Vec::new();
    for simple in &script.commands {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(simple.piped.then(|| "|".to_owned()));
        parts.extend(simple.words.iter().map(|word| {
            if word.quoted {
                format!("[{}]", word.text)
            } else {
                word.text.clone()
            }
        }));
        parts.extend(simple.inputs.iter().map(|file| format!("<{file}")));
        parts.extend(simple.outputs.iter().map(|file| format!(">{file}")));
        shown.push(parts.join(" "));
    }
    shown.extend(
        script
            .nested
            .iter()
            .map(|nested| format!("nested: {nested}")),
    );
    shown.extend(script.bash.iter().map(|bash| format!("bash: {bash}")));
    shown.join(" ;; ")
}

#[test]
fn quotes_and_backslashes_are_taken_off_as_a_shell_does() {
    for (text, shown) in [
        ("", ""),
        ("  \n\t", ""),
        ("a b", "a b"),
        ("'a b'c", "[a bc]"),
        ("a\"b\"'c'", "[abc]"),
        ("''", "[]"),
        ("a \"\"", "a []"),
        (r#""a\"b""#, r#"[a"b]"#),
        (r"'a\'b", r"[a\b]"),
        (r"a\ b", "a b"),
        ("a\\\nb", "ab"),
        ("a\\", "a"),
        ("'never closed", "[never closed]"),
        ("\"never closed", "[never closed]"),
        ("a # b", "a"),
        ("a#b", "a#b"),
        ("'#' b", "[#] b"),
    ] {
        assert_eq!(show_script(text), shown, "{text:?}");
    }
}

#[test]
fn substitutions_are_given_as_texts_and_parameters_stay_in_the_word() {
    for (text, shown) in [
        ("a $(b | c) d", "a $() d ;; nested: b | c"),
        ("a \"x$(b)y\"", "a [x$()y] ;; nested: b"),
        ("a '$(b)'", "a [$(b)]"),
        ("a `b \\`c\\``", "a $() ;; nested: b `c`"),
        ("a $(b $(c))", "a $() ;; nested: b $(c)"),
        ("a $(echo ')')", "a $() ;; nested: echo ')'"),
        ("a $(never", "a $() ;; nested: never"),
        ("a `never", "a $() ;; nested: never"),
        ("a ${x:-y z}", "a ${x:-y z}"),
        ("a $x$", "a $x$"),
        ("a $((1 + 2))", "a $((1 + 2))"),
        ("diff <(a) b", "diff $() b ;; nested: a ;; bash: <( )"),
        ("a >(b)", "a $() ;; nested: b ;; bash: >( )"),
    ] {
        assert_eq!(show_script(text), shown, "{text:?}");
    }
}

#[test]
fn redirections_are_files_and_no_words() {
    for (text, shown) in [
        ("a > b", "a >b"),
        ("a >b c", "a c >b"),
        ("a 2>b", "a >b"),
        ("a >>b 2>&1", "a >b"),
        ("a 2 >b", "a 2 >b"),
        ("a '2'>b", "a [2] >b"),
        ("a x2>b", "a x2 >b"),
        ("< a b", "b <a"),
        ("< a", "<a"),
        ("> a", ""),
        ("a <> b", "a <b"),
        ("a >| b", "a >b"),
        ("a &> b", "a >b ;; bash: &>"),
        ("a <<< b c", "a c ;; bash: <<<"),
        ("a >'b c'", "a >b c"),
        ("a > ; b", "a ;; b"),
        ("a <<X\nb | c\nX\nd", "a ;; d"),
        ("a <<-X\n\tb\n\tX\nd", "a ;; d"),
        ("a <<'X' <<Y\n1\nX\n2\nY\nd", "a ;; d"),
        ("a <<X\nnever ended", "a"),
    ] {
        assert_eq!(show_script(text), shown, "{text:?}");
    }
}

#[test]
fn words_of_the_language_are_no_commands_and_stay_words_behind_one() {
    for (text, shown) in [
        (
            "if a; then b; elif c; then d; else e; fi",
            "a ;; b ;; c ;; d ;; e",
        ),
        ("until a; do b; done", "a ;; b"),
        ("for x in 1 2; do a; done", "for x in 1 2 ;; a"),
        ("! a && { b; }", "a ;; b"),
        ("echo if do fi", "echo if do fi"),
        ("'if' a", "[if] a"),
        ("case $x in a) b;; c|d) e;; *) ;; esac; f", "b ;; e ;; f"),
        ("case $x in (a) b | c;; esac", "b ;; | c"),
        ("a | if b; then c; fi", "a ;; | b ;; c"),
        ("a |\n\n b", "a ;; | b"),
        ("f() { a; }", "f ;; a"),
        ("x=(1 2) a", "x= a ;; bash: an array"),
        ("((x > 1)) && a", "a ;; bash: (( ))"),
        ("a &\nb;c", "a ;; b ;; c"),
    ] {
        assert_eq!(show_script(text), shown, "{text:?}");
    }
}

#[test]
fn only_four_substitutions_in_substitutions_are_looked_into() {
    let nest = |depth: usize| format!("{}a | b{}", "$(".repeat(depth), ")".repeat(depth));
    assert!(has_pipe(&nest(4)) && !has_pipe(&nest(5)));
    assert_eq!(
        list_bash_syntax("[[ a ]]; echo $([[ b ]]; source c)"),
        ["[[ ]]", "source"]
    );
}

/// A word of any letters that a shell gives to a program.
fn any_word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z./=-]{1,8}", "(?s)[ -~\n\té]{0,10}"]
}

proptest! {
    #[test]
    fn commands_that_are_quoted_word_by_word_are_read_as_they_were(
        commands in prop::collection::vec((prop::collection::vec(any_word(), 0..4), 0..6_usize), 1..5),
    ) {
        let separators = [" | ", "; ", " && ", " || ", " & ", "\n"];
        let (mut text, mut expected, mut piped) = (String::new(), Vec::new(), false);
        for (at, (words, separator)) in commands.iter().enumerate() {
            let words: Vec<String> = std::iter::once(format!("program{at}")).chain(words.iter().cloned()).collect();
            let quoted: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
            text = text + &quoted.join(" ") + separators[*separator];
            expected.push((words, piped));
            piped = *separator == 0;
        }
        let script = read_script(&text);
        let found: Vec<(Vec<String>, bool)> = script.commands.iter().map(|simple| {
            (simple.words.iter().map(|word| word.text.clone()).collect(), simple.piped)
        }).collect();
        prop_assert_eq!(found, expected, "{}", text);
        prop_assert!(script.nested.is_empty() && script.bash.is_empty());
    }

    #[test]
    fn a_quoted_word_is_among_the_words_of_its_command(word in any_word(), before in any_word()) {
        let command = format!("{} {} && b", quote_word(&before), quote_word(&word));
        prop_assert!(word.is_empty() || list_command_words(&command).contains(&word), "{}", command);
    }

    #[test]
    fn files_of_redirections_are_found_under_any_name(input in any_word(), output in any_word()) {
        let script = read_script(&format!("a < {} > {}", quote_word(&input), quote_word(&output)));
        prop_assert_eq!(&script.commands[0].inputs, &[input]);
        prop_assert_eq!(&script.commands[0].outputs, &[output]);
    }
}
