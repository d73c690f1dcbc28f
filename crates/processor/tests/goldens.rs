//! Sizes, resized bytes and patch values against those of Pillow 13 and the reference image processor.

use std::fs;
use std::path::PathBuf;

use coldstart_processor::{Alpha, ImageProcessor, PixelLimits, resize_bicubic, smart_resize, to_rgb};
use safetensors::SafeTensors;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test/fixtures/goldens/images")
}

/// The names of the PNG goldens. The one JPEG is covered where JPEG is decoded.
fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let pngs = files.filter(|path| path.extension().is_some_and(|e| e == "png"));
    let mut names: Vec<String> = pngs.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names.len(), 12);
    names
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

struct Golden {
    raw: Vec<u8>,
    width: u32,
    height: u32,
    channels: usize,
    alpha: Alpha,
    meta: Value,
    resized: Vec<u8>,
    pixel_values: Vec<f32>,
}

fn golden(name: &str) -> Golden {
    let file = |ext: &str| folder().join(format!("{name}.{ext}"));
    let mut decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(file("png")).unwrap()));
    // Palettes to RGB, transparent entries to an alpha channel: what an image decoder hands over.
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut raw = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut raw).unwrap();
    let meta: Value = serde_json::from_slice(&fs::read(file("json")).unwrap()).unwrap();
    let bytes = fs::read(file("safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let values = tensors.tensor("pixel_values").unwrap().data().to_vec();
    Golden {
        raw,
        width: info.width,
        height: info.height,
        channels: info.color_type.samples(),
        alpha: if meta["options"]["alpha"] == "drop" { Alpha::Drop } else { Alpha::White },
        resized: tensors.tensor("resized_rgb").unwrap().data().to_vec(),
        pixel_values: values.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
        meta,
    }
}

fn processor(golden: &Golden) -> ImageProcessor {
    let options = &golden.meta["options"];
    ImageProcessor::from_json(&json!({}))
        .unwrap()
        .with_pixel_limits(options["min_pixels"].as_u64(), options["max_pixels"].as_u64())
        .unwrap()
        .with_alpha(golden.alpha)
}

#[test]
fn every_target_size_equals_the_reference() {
    let table = fs::read_to_string(folder().join("smart_resize.csv")).unwrap();
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let n: Vec<u64> = line.split(',').map(|v| v.trim().parse().unwrap()).collect();
        let limits = PixelLimits { min_pixels: n[2], max_pixels: n[3] };
        let got = smart_resize(n[0] as u32, n[1] as u32, 28, limits).unwrap();
        assert_eq!(got, (n[4] as u32, n[5] as u32), "{line}");
        rows += 1;
    }
    assert_eq!(rows, 5981);
}

#[test]
fn every_resized_byte_equals_pillow() {
    for name in names() {
        let golden = golden(&name);
        let rgb = to_rgb(&golden.raw, golden.width, golden.height, golden.channels, golden.alpha).unwrap();
        let [h, w] = [0, 1].map(|i| golden.meta["resized"][i].as_u64().unwrap() as usize);
        let got = resize_bicubic(&rgb, (golden.width as usize, golden.height as usize), (w, h));
        assert!(*got == golden.resized, "{name}: bytes differ");
    }
}

#[test]
fn every_patch_value_equals_the_reference_bit_for_bit() {
    for name in names() {
        let golden = golden(&name);
        let got = processor(&golden).process(&golden.raw, golden.width, golden.height, golden.channels).unwrap();
        assert_eq!(json!(got.grid_thw), golden.meta["grid_thw"], "{name}");
        assert_eq!(got.pixel_values.len(), golden.pixel_values.len(), "{name}");
        let differing =
            got.pixel_values.iter().zip(&golden.pixel_values).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        assert_eq!(differing, 0, "{name}: values differ");
    }
}

#[test]
fn the_grid_and_the_tokens_announced_are_those_delivered() {
    for name in names() {
        let golden = golden(&name);
        let processor = processor(&golden);
        let grid = processor.grid(golden.height, golden.width).unwrap();
        assert_eq!(json!(grid), golden.meta["grid_thw"], "{name}");
        let tokens = processor.num_tokens(golden.height, golden.width).unwrap();
        assert_eq!(tokens * 4 * 1176, golden.pixel_values.len(), "{name}");
    }
}

/// The bytes that `tests/fixtures/reference.py` draws.
fn noise(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let draw = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match state >> 29 {
            0 => 0,
            1 => 255,
            _ => (state >> 16) as u8,
        }
    };
    (0..len).map(draw).collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, &byte: &u8| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn noise_of_many_shapes_is_resized_as_by_pillow_very_tall_images_included() {
    let table = fs::read_to_string(fixtures().join("pillow.csv")).unwrap();
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let n: Vec<usize> = line.split(',').map(|v| v.parse().unwrap()).collect();
        let rgb = noise(3 * n[0] * n[1], n[4] as u32);
        let got = resize_bicubic(&rgb, (n[0], n[1]), (n[2], n[3]));
        assert_eq!(crc32(&got), n[5] as u32, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 208);
}
