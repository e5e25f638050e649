//! Owns the small plot of the metric that `status` shows on a terminal.
//! Does not know how wide the terminal is.
//! Invariant: plain text of at most `width` columns; the newest value is on the right.

/// Draws values, oldest first, as `height` rows with a scale on the left. Empty for fewer than two values. Non-finite
/// values are left out.
#[must_use]
pub fn draw_plot(values: &[f64], width: usize, height: usize) -> String {
    let values: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    if values.len() < 2 || height < 2 {
        return String::new();
    }
    let (low, high) = values
        .iter()
        .fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    let labels = [format_label(high), format_label(low)];
    let margin = labels.iter().map(String::len).max().unwrap_or(0);
    let columns = sample_columns(&values, width.saturating_sub(margin + 3).max(2));
    let mut rows = Vec::new();
    for row in (0..height).rev() {
        let side = if row + 1 == height {
            &labels[0]
        } else if row == 0 {
            &labels[1]
        } else {
            ""
        };
        let dots: String = columns
            .iter()
            .map(|value| {
                if to_row_index(*value, low, high, height) == row {
                    '●'
                } else {
                    ' '
                }
            })
            .collect();
        rows.push(format!("{side:>margin$} ┤{}", dots.trim_end()));
    }
    rows.join("\n") + "\n"
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "0..height, a terminal's rows"
)]
fn to_row_index(value: f64, low: f64, high: f64, height: usize) -> usize {
    if high <= low {
        0
    } else {
        ((value - low) / (high - low) * (height - 1) as f64).round() as usize
    }
}

/// At most `columns` values: the last of each stretch, so that the newest is always drawn.
fn sample_columns(values: &[f64], columns: usize) -> Vec<f64> {
    if values.len() <= columns {
        return values.to_vec();
    }
    (1..=columns)
        .map(|column| values[column * values.len() / columns - 1])
        .collect()
}

fn format_label(value: f64) -> String {
    let text = if value.abs() >= 1e7 || (value != 0.0 && value.abs() < 1e-3) {
        format!("{value:.2e}")
    } else {
        format!("{value:.3}")
    };
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plot_shows_the_way_down() {
        insta::assert_snapshot!(draw_plot(&[47.0, 41.0, 41.0, 38.0, 30.0, 30.0, 12.0], 40, 5), @r"
        47 ┤●
           ┤ ●●●
           ┤    ●●
           ┤
        12 ┤      ●
        ");
    }

    #[test]
    fn many_values_fit_into_the_width_and_the_newest_stays() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let plot = draw_plot(&values, 30, 4);
        assert!(plot.lines().all(|line| line.chars().count() <= 30));
        assert!(plot.lines().next().unwrap().ends_with('●'));
    }

    #[test]
    fn nothing_to_draw_is_nothing() {
        assert_eq!(draw_plot(&[1.0], 40, 5), "");
        assert_eq!(draw_plot(&[f64::NAN, f64::INFINITY, 2.0], 40, 5), "");
        assert!(draw_plot(&[2.0, 2.0], 40, 5).contains('●'));
    }

    proptest::proptest! {
        #[test]
        fn a_plot_is_no_wider_and_no_higher_than_asked_for(
            values in proptest::collection::vec(-1e9_f64..1e9, 0..200), width in 24_usize..100, height in 2_usize..12,
        ) {
            let plot = draw_plot(&values, width, height);
            proptest::prop_assert_eq!(plot.lines().count(), if values.len() < 2 { 0 } else { height });
            for line in plot.lines() {
                proptest::prop_assert!(line.chars().count() <= width, "{}", plot);
            }
            let dots = plot.matches('●').count();
            proptest::prop_assert!(dots == 0 || dots >= 2);
        }
    }
}
