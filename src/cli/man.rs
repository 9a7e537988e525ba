//! `dissent man`: manual pages, made from the same table of options as `--help`.

use super::Cli;
use crate::files::durable::{make_folder, write_file};
use crate::output::{count, print_document, print_line};
use anyhow::{Context, Result, bail};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::path::{Path, PathBuf};

/// Arguments of `dissent man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Command whose page is printed: `predict`, `export casebook`; default: the page of dissent
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,
    /// Write every page into this folder, as dissent.1, dissent-predict.1 and so on
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints one page, or writes all.
pub fn run(args: &Args) -> Result<()> {
    let mut root = Cli::command();
    // Fills in the options that all commands share.
    root.build();
    if let Some(folder) = &args.out {
        make_folder(folder)?;
        let mut pages = 0;
        write_pages(&root, root.get_name(), folder, &mut pages)?;
        return print_line(&format!("{} written into {}", count(pages, "page"), folder.display()));
    }
    let (command, name) = find(&root, &args.command)?;
    print_document(&page(command, &name)?)
}

/// The command of these words with the name of its page: "dissent-export-casebook".
fn find<'a>(root: &'a Command, words: &[String]) -> Result<(&'a Command, String)> {
    let (mut command, mut name) = (root, root.get_name().to_owned());
    for word in words {
        let Some(sub) = shown_subcommands(command).find(|sub| sub.get_name() == word) else {
            let known: Vec<&str> = shown_subcommands(command).map(Command::get_name).collect();
            let expected =
                if known.is_empty() { "no further word".to_owned() } else { format!("one of {}", known.join(", ")) };
            bail!("no page for '{word}' after {}: expected {expected}", name.replace('-', " "));
        };
        command = sub;
        name = format!("{name}-{word}");
    }
    Ok((command, name))
}

fn write_pages(command: &Command, name: &str, folder: &Path, pages: &mut usize) -> Result<()> {
    write_file(&folder.join(format!("{name}.1")), &page(command, name)?)?;
    *pages += 1;
    for sub in shown_subcommands(command) {
        write_pages(sub, &format!("{name}-{}", sub.get_name()), folder, pages)?;
    }
    Ok(())
}

/// `help` is no command of ours, and hidden ones are started by the program itself.
fn shown_subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    let command = command.clone().display_name(name.to_owned()).version(env!("CARGO_PKG_VERSION"));
    Man::new(command).title(name).render(&mut page).context("cannot write the manual page")?;
    Ok(page)
}
