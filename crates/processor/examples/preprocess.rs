//! Images a second on one core, decoded pixels to patches, as one JSON line.
//!
//!     cargo run --release -p coldstart-processor --example preprocess

use std::hint::black_box;
use std::time::Instant;

use coldstart_processor::{ImageProcessor, resize_bicubic};
use serde_json::{Map, Value, json};

const SIZES: [(u32, u32); 3] = [(512, 512), (1024, 768), (2725, 2225)];
const ROUNDS: usize = 15;

/// Median milliseconds of one call.
fn median_ms(mut call: impl FnMut()) -> f64 {
    call();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            call();
            1e3 * start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

#[expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]
fn main() -> Result<(), coldstart_processor::Error> {
    let mut report = Map::new();
    for max_pixels in [1_003_520u64, 12_845_056] {
        let processor = ImageProcessor::from_json(&json!({ "max_pixels": max_pixels }))?;
        for (width, height) in SIZES {
            // Structure at every scale, and nothing that an all-equal row could make cheap.
            let raw: Vec<u8> = (0..3 * width * height).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            let [_, h, w] = processor.grid(height, width)?.map(|n| 14 * n as usize);
            let resize = median_ms(|| drop(black_box(resize_bicubic(&raw, (width as usize, height as usize), (w, h)))));
            let whole = median_ms(|| drop(black_box(processor.process(&raw, width, height, 3))));
            let entry: Value = json!({
                "resized": [w, h], "images_per_second": 1e3 / whole, "ms": whole, "resize_ms": resize,
            });
            report.insert(format!("{width}x{height}, max_pixels {max_pixels}"), entry);
        }
    }
    println!("{}", Value::Object(report));
    Ok(())
}
