//! From the samples of a TIFF page to an image.

use anyhow::{Context, Result, bail, ensure};
use image::{DynamicImage, ImageBuffer};
use tiff::ColorType;
use tiff::decoder::DecodingResult;

/// What the sample after the colours means (ExtraSamples).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    None,
    Straight,
    /// The colours are multiplied by alpha already, so that they are those over black.
    Premultiplied,
}

/// A decoded page.
pub(super) struct Page {
    pub width: u32,
    pub height: u32,
    pub colours: ColorType,
    pub samples: DecodingResult,
    /// Bytes per row of samples of less than 8 bits.
    pub row_bytes: usize,
    pub planes: usize,
    pub is_jpeg: bool,
    pub alpha: Alpha,
    pub palette: Option<Vec<[u8; 3]>>,
}

impl Page {
    /// # Errors
    /// Fails if the colours are not supported or there are too few samples.
    pub fn image(self) -> Result<DynamicImage> {
        let (width, height) = (self.width, self.height);
        let image = match (self.colours, &self.samples) {
            (ColorType::Gray(bits @ 1..=8), DecodingResult::U8(samples)) => {
                let values = self.unpacked(samples, bits)?;
                if let Some(palette) = &self.palette {
                    let colours = values.iter().flat_map(|value| palette[usize::from(*value)]).collect();
                    ImageBuffer::from_raw(width, height, colours).map(DynamicImage::ImageRgb8)
                } else {
                    let scale = 255 / ((1_u16 << bits) - 1) as u8;
                    let values = values.into_iter().map(|value| value * scale).collect();
                    ImageBuffer::from_raw(width, height, values).map(DynamicImage::ImageLuma8)
                }
            }
            (ColorType::Gray(16), DecodingResult::U16(samples)) => {
                ImageBuffer::from_raw(width, height, samples.clone()).map(DynamicImage::ImageLuma16)
            }
            (_, DecodingResult::U8(samples)) => self.colours_of_8_bit(&self.interleaved(samples)?)?,
            (_, DecodingResult::U16(samples)) => self.colours_of_16_bit(&self.interleaved(samples)?)?,
            _ => bail!("expected unsigned samples of up to 16 bits in the TIFF file"),
        };
        image.context("the TIFF file is damaged: it has too few samples")
    }

    fn colours_of_8_bit(&self, samples: &[u8]) -> Result<Option<DynamicImage>> {
        let (width, height) = (self.width, self.height);
        let rgb = |pixels: Vec<u8>| ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8);
        Ok(match self.colours {
            ColorType::RGB(8) => rgb(samples.to_vec()),
            ColorType::CMYK(8) => rgb(samples.chunks_exact(4).flat_map(rgb_of_cmyk).collect()),
            ColorType::YCbCr(8) if self.is_jpeg => rgb(samples.chunks_exact(3).flat_map(rgb_of_ycbcr).collect()),
            ColorType::RGBA(8) => match self.alpha {
                Alpha::Straight => ImageBuffer::from_raw(width, height, samples.to_vec()).map(DynamicImage::ImageRgba8),
                _ => rgb(without_last(samples, 4)),
            },
            ColorType::Multiband { bit_depth: 8, num_samples: 2 } if self.alpha == Alpha::Straight => {
                ImageBuffer::from_raw(width, height, samples.to_vec()).map(DynamicImage::ImageLumaA8)
            }
            ColorType::Multiband { bit_depth: 8, num_samples: 2 } if self.alpha == Alpha::Premultiplied => {
                ImageBuffer::from_raw(width, height, without_last(samples, 2)).map(DynamicImage::ImageLuma8)
            }
            other => return Err(unsupported(other)),
        })
    }

    fn colours_of_16_bit(&self, samples: &[u16]) -> Result<Option<DynamicImage>> {
        let (width, height) = (self.width, self.height);
        let rgb = |pixels: Vec<u16>| ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb16);
        Ok(match self.colours {
            ColorType::RGB(16) => rgb(samples.to_vec()),
            ColorType::RGBA(16) => match self.alpha {
                Alpha::Straight => {
                    ImageBuffer::from_raw(width, height, samples.to_vec()).map(DynamicImage::ImageRgba16)
                }
                _ => rgb(without_last(samples, 4)),
            },
            // 16 bits of ink hold no more than 8 for the screen, and a window of values means nothing for ink.
            ColorType::CMYK(16) => {
                let eight: Vec<u8> = samples.iter().map(|sample| (sample >> 8) as u8).collect();
                let pixels = eight.chunks_exact(4).flat_map(rgb_of_cmyk).collect();
                ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
            }
            ColorType::Multiband { bit_depth: 16, num_samples: 2 } if self.alpha == Alpha::Straight => {
                ImageBuffer::from_raw(width, height, samples.to_vec()).map(DynamicImage::ImageLumaA16)
            }
            ColorType::Multiband { bit_depth: 16, num_samples: 2 } if self.alpha == Alpha::Premultiplied => {
                ImageBuffer::from_raw(width, height, without_last(samples, 2)).map(DynamicImage::ImageLuma16)
            }
            other => return Err(unsupported(other)),
        })
    }

    /// One value per sample; rows begin at whole bytes.
    fn unpacked(&self, samples: &[u8], bits: u8) -> Result<Vec<u8>> {
        if bits == 8 {
            return Ok(samples.to_vec());
        }
        ensure!(
            matches!(bits, 1 | 2 | 4) && self.row_bytes > 0,
            "expected samples of 1, 2, 4 or 8 bits in the TIFF file"
        );
        let per_byte = 8 / bits;
        let value = |row: &[u8], x: usize| {
            let shift = 8 - bits - (x % usize::from(per_byte)) as u8 * bits;
            row.get(x / usize::from(per_byte)).map_or(0, |byte| byte >> shift & ((1 << bits) - 1))
        };
        let rows = samples.chunks_exact(self.row_bytes).take(self.height as usize);
        Ok(rows.flat_map(|row| (0..self.width as usize).map(move |x| value(row, x))).collect())
    }

    /// Samples pixel by pixel; a planar file has all of one colour first.
    fn interleaved<T: Copy>(&self, samples: &[T]) -> Result<Vec<T>> {
        if self.planes <= 1 {
            return Ok(samples.to_vec());
        }
        let plane = self.width as usize * self.height as usize;
        // Samples that are no colours and no alpha are left out.
        let wanted = usize::from(self.colours.num_samples());
        ensure!(
            samples.len() >= plane * wanted && self.planes >= wanted,
            "the TIFF file is damaged: it has too few planes of colours"
        );
        Ok((0..plane).flat_map(|pixel| (0..wanted).map(move |colour| samples[colour * plane + pixel])).collect())
    }
}

fn unsupported(colours: ColorType) -> anyhow::Error {
    anyhow::anyhow!(
        "expected a TIFF file in grey, RGB, CMYK or with a palette, found {colours:?}; convert it to RGB of 8 or 16 bits"
    )
}

fn without_last<T: Copy>(samples: &[T], count: usize) -> Vec<T> {
    samples.chunks_exact(count).flat_map(|pixel| pixel[..count - 1].iter().copied()).collect()
}

/// Converts ink to light as Pillow does.
fn rgb_of_cmyk(ink: &[u8]) -> [u8; 3] {
    let paper = 255 - u32::from(ink[3]);
    [ink[0], ink[1], ink[2]].map(|ink| {
        let product = u32::from(ink) * paper + 128;
        (paper - (((product >> 8) + product) >> 8)) as u8
    })
}

/// Converts the colours of JPEG (ITU-T T.871, section 7).
fn rgb_of_ycbcr(pixel: &[u8]) -> [u8; 3] {
    let (y, blue, red) = (f64::from(pixel[0]), f64::from(pixel[1]) - 128.0, f64::from(pixel[2]) - 128.0);
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}
