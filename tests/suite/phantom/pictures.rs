//! Pictures and captions: the same everywhere, small, and every attribute can be seen in them.

use dissent::files::fingerprint::Fingerprint;
use dissent::phantom::encode::{Effort, PALETTE_SIZE, colour_png, grey_png};
use dissent::phantom::field::SIDE;
use dissent::phantom::rng::PhantomRng;
use dissent::phantom::subject::Subject;
use dissent::phantom::ultrasound::{Depth, Entity, Gain, Interior, Margin, Outcome, Posterior, ProbeShape, Tissue};
use dissent::phantom::wording::Wording;
use dissent::phantom::{fundus, ultrasound};
use image::GrayImage;

/// A lesion in the middle of an image without extremes.
fn plain() -> ultrasound::Attributes {
    ultrasound::Attributes {
        entity: Entity { margin: Margin::Smooth, interior: Interior::Homogeneous },
        probe: ProbeShape::Linear,
        gain: Gain::Medium,
        tissue: Tissue::Dense,
        side: ultrasound::Side::Central,
        depth: Depth::Deep,
        size: ultrasound::Size::Large,
        posterior: Posterior::Clear,
    }
}

/// Mean grey value of many pictures with these attributes in a region, columns and rows from the middle of the lesion.
fn mean_around_lesion(attributes: &ultrasound::Attributes, columns: (i32, i32), rows: (i32, i32)) -> f32 {
    let params = ultrasound::Params {
        central: 32.0..=32.0,
        left: 20.0..=20.0,
        right: 44.0..=44.0,
        shallow: 24.0..=24.0,
        deep: 38.0..=38.0,
        ..ultrasound::Params::default()
    };
    let centre = (
        match attributes.side {
            ultrasound::Side::Left => 20,
            ultrasound::Side::Central => 32,
            ultrasound::Side::Right => 44,
        },
        match attributes.depth {
            Depth::Shallow => 24,
            Depth::Deep => 38,
        },
    );
    let (mut sum, mut count) = (0.0, 0.0);
    for number in 0..40 {
        let image = ultrasound::draw(attributes, &params, &mut PhantomRng::new(3, number));
        for y in rows.0..=rows.1 {
            for x in columns.0..=columns.1 {
                sum += f32::from(image.get_pixel((centre.0 + x) as u32, (centre.1 + y) as u32).0[0]);
                count += 1.0;
            }
        }
    }
    sum / count
}

/// Mean difference between neighbouring pixels of a ring around the middle, at this distance.
fn ring_roughness(attributes: &ultrasound::Attributes, distance: f32) -> f32 {
    let params = ultrasound::Params {
        central: 32.0..=32.0,
        deep: 36.0..=36.0,
        radius_large: 13.0..=13.0,
        aspect: 1.0..=1.0,
        speckle: 0.0,
        ..ultrasound::Params::default()
    };
    let mut sum = 0.0;
    for number in 0..20 {
        let image = ultrasound::draw(attributes, &params, &mut PhantomRng::new(4, number));
        let at = |step: usize| {
            let angle = step as f32 / 120.0 * std::f32::consts::TAU;
            let (x, y) = (32.0 + distance * angle.cos(), 36.0 + distance * angle.sin());
            f32::from(image.get_pixel(x.round() as u32, y.round() as u32).0[0])
        };
        sum += (0..120).map(|step| (at(step) - at(step + 1)).abs()).sum::<f32>() / 120.0;
    }
    sum / 20.0
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_every_machine() {
    let mut files = Vec::new();
    for number in 0..24 {
        let mut rng = PhantomRng::new(11, number);
        let subject = Subject::draw(0.5, &mut rng);
        files.push(subject.png(Effort::Small, &mut rng).unwrap());
        files.push(subject.pool_caption(&mut rng).into_bytes());
    }
    // Pixels alone, so that a new PNG encoder is told apart from a new picture.
    let mut pixels = Vec::new();
    for file in files.iter().step_by(2) {
        pixels.extend(image::load_from_memory(file).unwrap().into_rgb8().into_raw());
    }
    assert_eq!(Fingerprint::of_bytes(&pixels).to_string(), "128aaffb7aee7f1a");
    assert_eq!(Fingerprint::of_bytes(&files.concat()).to_string(), "0f036c07d7e00fe8");
}

#[test]
fn files_are_small_and_hold_what_was_drawn() {
    const COUNT: usize = 60;
    let (mut grey_total, mut colour_total) = (0, 0);
    for number in 0..COUNT as u64 {
        let mut rng = PhantomRng::new(12, number);
        let attributes = ultrasound::Attributes::draw(Entity::draw(&mut rng), &mut rng);
        let drawn: GrayImage = ultrasound::draw(&attributes, &ultrasound::Params::default(), &mut rng);
        let file = grey_png(&drawn, Effort::Small).unwrap();
        assert_eq!(image::load_from_memory(&file).unwrap().into_luma8(), drawn);
        assert!(file.len() <= 2048, "{} bytes: {attributes:?}", file.len());
        assert_eq!(image::load_from_memory(&grey_png(&drawn, Effort::Quick).unwrap()).unwrap().into_luma8(), drawn);
        grey_total += file.len();

        let attributes = fundus::Attributes::draw(fundus::Grade::draw(&mut rng), &mut rng);
        let drawn = fundus::draw(&attributes, &fundus::Params::default(), &mut rng);
        let file = colour_png(&drawn, Effort::Small).unwrap();
        assert_eq!(image::load_from_memory(&file).unwrap().into_rgb8(), drawn);
        assert!(file.len() <= 2048, "{} bytes: {attributes:?}", file.len());
        let mut colours: Vec<[u8; 3]> = drawn.pixels().map(|pixel| pixel.0).collect();
        colours.sort_unstable();
        colours.dedup();
        assert!(colours.len() <= PALETTE_SIZE, "{} colours", colours.len());
        colour_total += file.len();
    }
    assert!(grey_total / COUNT <= 1650, "{} bytes an ultrasound", grey_total / COUNT);
    assert!(colour_total / COUNT <= 1500, "{} bytes a fundus", colour_total / COUNT);
}

#[test]
fn ultrasound_nuisances_can_be_seen() {
    let tissue = |attributes: &ultrasound::Attributes| mean_around_lesion(attributes, (18, 24), (-6, 6));
    let gains = [Gain::Dim, Gain::Medium, Gain::Bright].map(|gain| tissue(&ultrasound::Attributes { gain, ..plain() }));
    assert!(gains[0] + 25.0 < gains[1] && gains[1] + 20.0 < gains[2], "{gains:?}");
    let fatty = tissue(&ultrasound::Attributes { tissue: Tissue::Fatty, ..plain() });
    assert!(fatty + 8.0 < gains[1], "fatty {fatty}, dense {}", gains[1]);

    let behind = [Posterior::Shadowing, Posterior::Clear, Posterior::Enhancing].map(|posterior| {
        let shown = ultrasound::Attributes { posterior, depth: Depth::Shallow, ..plain() };
        mean_around_lesion(&shown, (-4, 4), (18, 26))
    });
    assert!(behind[0] + 25.0 < behind[1] && behind[1] + 20.0 < behind[2], "{behind:?}");

    let middle = mean_around_lesion(&plain(), (-6, 6), (-5, 5));
    for side in [ultrasound::Side::Left, ultrasound::Side::Right] {
        let moved = mean_around_lesion(&ultrasound::Attributes { side, ..plain() }, (-6, 6), (-5, 5));
        assert!((moved - middle).abs() < 12.0, "{side:?}: the lesion is where it should be");
        let away = if side == ultrasound::Side::Left { (15, 24) } else { (-24, -15) };
        let gone = mean_around_lesion(&ultrasound::Attributes { side, ..plain() }, away, (-5, 5));
        assert!(gone > middle + 60.0, "{side:?}: and nowhere else");
    }
    let shallow = ultrasound::Attributes { depth: Depth::Shallow, ..plain() };
    assert!((mean_around_lesion(&shallow, (-6, 6), (-5, 5)) - middle).abs() < 12.0);
    assert!(mean_around_lesion(&shallow, (-6, 6), (16, 20)) > middle + 60.0);

    let rim = |size| mean_around_lesion(&ultrasound::Attributes { size, ..plain() }, (11, 12), (-2, 2));
    assert!(rim(ultrasound::Size::Large) + 60.0 < rim(ultrasound::Size::Small));
    let corner = |probe| {
        let shown = ultrasound::Attributes { probe, ..plain() };
        mean_around_lesion(&shown, (-30, -26), (-36, -30))
    };
    assert!(corner(ProbeShape::Curved) < 1.0 && corner(ProbeShape::Linear) > 60.0);
}

#[test]
fn ultrasound_signs_can_be_seen() {
    let with_interior =
        |interior| ultrasound::Attributes { entity: Entity { margin: Margin::Smooth, interior }, ..plain() };
    let core = |interior| mean_around_lesion(&with_interior(interior), (-2, 2), (-2, 2));
    assert!(core(Interior::Hollow) > core(Interior::Homogeneous) + 70.0);
    let even = ring_roughness(&with_interior(Interior::Homogeneous), 8.0);
    let dotted = ring_roughness(&with_interior(Interior::Dotted), 8.0);
    let septated = ring_roughness(&with_interior(Interior::Septated), 8.0);
    let hollow = ring_roughness(&with_interior(Interior::Hollow), 8.0);
    assert!(even < 1.0 && hollow < 2.0, "even {even}, hollow {hollow}");
    assert!(dotted > 5.0 && septated > 5.0, "dotted {dotted}, septated {septated}");
    // Septa fill more of the lesion than dots do.
    let fill = |interior| mean_around_lesion(&with_interior(interior), (-8, 8), (-6, 6));
    assert!(fill(Interior::Septated) > fill(Interior::Dotted) + 6.0);
    assert!(fill(Interior::Dotted) > fill(Interior::Homogeneous) + 3.0);

    let with_margin =
        |margin| ultrasound::Attributes { entity: Entity { margin, interior: Interior::Homogeneous }, ..plain() };
    // Just outside the lesion only lobes and spikes change along the ring; farther out only spikes are left.
    let near = |margin| ring_roughness(&with_margin(margin), 13.5);
    let far = |margin| ring_roughness(&with_margin(margin), 16.5);
    assert!(near(Margin::Lobulated) > near(Margin::Indistinct) + 2.0);
    assert!(far(Margin::Spiculated) > far(Margin::Smooth) + 4.0, "{} {}", far(Margin::Spiculated), far(Margin::Smooth));
    assert!(far(Margin::Spiculated) > far(Margin::Lobulated) + 4.0);
    // The edge of an indistinct lesion is spread over many pixels.
    let inside_rim = |margin| mean_around_lesion(&with_margin(margin), (11, 12), (-2, 2));
    assert!(inside_rim(Margin::Indistinct) > inside_rim(Margin::Smooth) + 12.0);
}

/// Mean of a channel over the retina, without its rim.
fn mean_channel(attributes: fundus::Attributes, channel: usize) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for number in 0..10 {
        let image = fundus::draw(&attributes, &fundus::Params::default(), &mut PhantomRng::new(5, number));
        for (x, y, pixel) in image.enumerate_pixels() {
            if (f64::from(x) - 31.5).hypot(f64::from(y) - 31.5) < 24.0 {
                sum += f32::from(pixel.0[channel]);
                count += 1.0;
            }
        }
    }
    sum / count
}

#[test]
fn fundus_attributes_can_be_seen() {
    use fundus::{Attributes, EyeSide, Focus, Grade, Illumination, Tint};
    let plain = Attributes {
        grade: Grade::None,
        eye: EyeSide::Left,
        illumination: Illumination::Even,
        tint: Tint::Orange,
        focus: Focus::Sharp,
    };
    let light = [Illumination::Dim, Illumination::Even, Illumination::Bright]
        .map(|illumination| mean_channel(Attributes { illumination, ..plain }, 0));
    assert!(light[0] + 20.0 < light[1] && light[1] + 20.0 < light[2], "{light:?}");
    let green = [Tint::Red, Tint::Orange, Tint::Pale].map(|tint| mean_channel(Attributes { tint, ..plain }, 1));
    assert!(green[0] + 15.0 < green[1] && green[1] + 15.0 < green[2], "{green:?}");

    let half = |attributes: &Attributes, left: bool| -> f32 {
        let image = fundus::draw(attributes, &fundus::Params::default(), &mut PhantomRng::new(5, 0));
        let in_half = image.enumerate_pixels().filter(|(x, _, _)| (*x < SIDE as u32 / 2) == left);
        in_half.map(|(_, _, pixel)| f32::from(pixel.0[2].saturating_sub(80))).sum()
    };
    for (eye, left) in [(EyeSide::Left, true), (EyeSide::Right, false)] {
        let shown = Attributes { eye, ..plain };
        assert!(half(&shown, left) > 4.0 * half(&shown, !left), "{eye:?}: the bright disc is on its side");
    }
    // Sum of differences between neighbours: lesions add to it, blur takes from it.
    let detail = |attributes: &Attributes| -> f32 {
        let mut sum = 0.0;
        for number in 0..10 {
            let image = fundus::draw(attributes, &fundus::Params::default(), &mut PhantomRng::new(6, number));
            for (x, y, pixel) in image.enumerate_pixels().filter(|(x, _, _)| *x > 0) {
                if (f64::from(x) - 31.5).hypot(f64::from(y) - 31.5) < 26.0 {
                    sum += f32::from(pixel.0[1].abs_diff(image.get_pixel(x - 1, y).0[1]));
                }
            }
        }
        sum
    };
    let by_grade: Vec<f32> = Grade::ALL.iter().map(|&grade| detail(&Attributes { grade, ..plain })).collect();
    assert!(by_grade.windows(2).take(3).all(|pair| pair[0] * 1.04 < pair[1]), "{by_grade:?}");
    assert!(by_grade[4] > by_grade[0] * 1.1, "{by_grade:?}");
    assert!(detail(&Attributes { focus: Focus::Blurred, ..plain }) < 0.85 * by_grade[0]);
}

#[test]
fn captions_mention_findings_as_often_as_told_and_stay_short() {
    const COUNT: usize = 4000;
    let wording = Wording { nuisance: 0.75, sign: 0.4 };
    let mut rng = PhantomRng::new(13, 0);
    let (mut margins, mut gains, mut eyes, mut lesions) = (0, 0, 0, 0);
    for _ in 0..COUNT {
        let shown = ultrasound::Attributes::draw(Entity::draw(&mut rng), &mut rng);
        let caption = ultrasound::caption(&shown, &wording, Some(Outcome::Malignant), &mut rng);
        assert!(caption.ends_with("; biopsy malignant"), "{caption}");
        assert!(caption.split_whitespace().count() <= 14, "{caption}");
        margins += usize::from(caption.contains(shown.entity.margin.word()));
        gains += usize::from(caption.contains(&format!("{} gain", shown.gain.word())));
        let shown = fundus::Attributes::draw(fundus::Grade::draw(&mut rng), &mut rng);
        let caption = fundus::caption(&shown, &wording, true, &mut rng);
        assert!(caption.ends_with(&format!("; grade {}", shown.grade.word())), "{caption}");
        assert!(caption.split_whitespace().count() <= 14, "{caption}");
        eyes += usize::from(caption.contains(shown.eye.word()));
        lesions += usize::from(caption.contains(shown.grade.findings()));
    }
    let near = |count: usize, share: f32| (count as f32 / COUNT as f32 - share).abs() < 0.03;
    assert!(near(margins, 0.4) && near(gains, 0.75) && near(eyes, 0.75) && near(lesions, 0.4));
}

#[test]
fn a_caption_of_signs_says_nothing_else() {
    let entity = Entity { margin: Margin::Spiculated, interior: Interior::Septated };
    assert_eq!(ultrasound::sign_caption(entity), "spiculated septated mass");
    assert_eq!(fundus::sign_caption(fundus::Grade::Mild), "eye, few microaneurysms");
}
