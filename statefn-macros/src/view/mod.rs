//! `#[view]` on a struct: a row that is found by its key and its indexes.

mod model;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Item, ItemStruct, LitStr, parse2};

use crate::attribute;
use crate::diagnostics::Diagnostics;
use crate::names;
use model::{Model, Options};

/// Expands the attribute. Complaints never take the struct away.
pub(crate) fn expand(tokens: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = Options::read(tokens, &mut diagnostics);
    let (item, model) = match parse2::<Item>(item.clone()) {
        Ok(Item::Struct(mut item)) => {
            let model = Model::read(&mut item, &mut diagnostics);
            (quote!(#item), model.map(|model| (item, model)))
        }
        Ok(_) => {
            let message = "`#[view]` belongs on a struct: one value of it is one row";
            diagnostics.at_span(Span::call_site(), message);
            (item.clone(), None)
        }
        Err(error) => {
            diagnostics.add(error);
            (item.clone(), None)
        }
    };
    let errors = diagnostics.into_tokens();
    let expansion = model
        .filter(|_| errors.is_empty())
        .map(|(item, model)| expansion(&options, &item, &model));
    quote!(#item #errors #expansion)
}

fn expansion(options: &Options, item: &ItemStruct, model: &Model) -> TokenStream {
    let krate = attribute::krate_tokens(options.krate.as_ref());
    let (ident, vis) = (&item.ident, &item.vis);
    let name = options
        .name
        .as_ref()
        .map_or_else(|| names::kebab_case(ident), LitStr::value);
    let codec = quote::format_ident!("{}", options.codec.unwrap_or("Bincode"));
    let shape = options.shape.as_ref().map(
        |shape| quote!(const SHAPE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(#shape);),
    );
    let key_names = model.key.iter().map(|field| &field.name);
    let key_types: Vec<_> = model.key.iter().map(|field| &field.ty).collect();
    let key = match key_types.as_slice() {
        [only] => quote!(#only),
        several => quote!((#(#several,)*)),
    };
    let write_key = model.key.iter().map(|field| field.write(&krate));
    let index_names = model.indexes.iter().map(|field| &field.name);
    let places = 0..model.indexes.len();
    let write_indexes = model.indexes.iter().map(|field| field.write(&krate));
    let constants = model.indexes.iter().enumerate().map(|(place, field)| {
        let (constant, ty) = (field.constant(), &field.ty);
        let doc = format!("The index over `{}`.", field.name);
        quote_spanned! {ty.span()=>
            #[doc = #doc]
            #vis const #constant: #krate::view::Index<Self, #ty> = #krate::view::Index::at(#place);
        }
    });
    quote! {
        #[automatically_derived]
        impl #krate::view::View for #ident {
            type Key = #key;
            const NAME: &'static ::core::primitive::str = #name;
            const CODEC: #krate::codec::Codec = #krate::codec::Codec::#codec;
            const KEY: &'static [&'static ::core::primitive::str] = &[#(#key_names),*];
            const INDEXES: &'static [&'static ::core::primitive::str] = &[#(#index_names),*];
            #shape
            fn write_key(&self, key: &mut #krate::view::KeyWriter) {
                #(#write_key)*
            }
            fn write_index(
                &self,
                index: ::core::primitive::usize,
                key: &mut #krate::view::KeyWriter,
            ) {
                let _ = &key;
                match index {
                    #(#places => { #write_indexes })*
                    _ => {}
                }
            }
        }

        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            #(#constants)*
        }
    }
}
